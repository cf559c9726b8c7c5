"""Tests of each resource: reading and writing one row, and lists."""
