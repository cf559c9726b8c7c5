"""Releases of the template, and updates of projects from one to another."""
