"""Tests of rendered projects: their checks, their own tests and their behaviour."""
