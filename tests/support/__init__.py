"""Helpers for the tests: rendering, the shared environment, servers, and the matrix."""
