"""Migrations of rendered projects: changed answers, their rows, and several processes at once."""
