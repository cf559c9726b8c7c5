"""Tests of the template: its answers, its rendered projects, and the repository."""
