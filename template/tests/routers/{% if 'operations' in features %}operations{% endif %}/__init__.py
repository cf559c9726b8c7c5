"""Tests of the operations beyond reading and writing one row."""
