"""Tests of the repository: its documentation, size limits, workflows and commands."""
