"""Tests of answers: which are accepted, and which are rejected with which message."""
