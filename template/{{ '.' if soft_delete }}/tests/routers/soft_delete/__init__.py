"""Tests of rows that are hidden and restored."""
