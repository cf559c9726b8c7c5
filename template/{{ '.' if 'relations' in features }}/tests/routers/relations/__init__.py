"""Tests of rows that refer to others."""
