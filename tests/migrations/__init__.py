"""Tests of migrations: changed answers, their rows, and concurrent processes."""
