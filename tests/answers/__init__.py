"""Answers: which are accepted, and which are rejected with what message."""
