"""Rendered projects: that they are clean and pass their own tests, and how they behave."""
