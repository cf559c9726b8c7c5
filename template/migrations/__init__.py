"""Migrations: the revisions, and what writes and runs them."""
