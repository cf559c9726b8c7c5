"""Migrations: the revisions, and the toolkit that writes and runs them."""
