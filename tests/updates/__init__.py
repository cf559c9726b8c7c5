"""Tests of releases, and of updates between them."""
