"""Tests of the files around the app: tools, deployment, workflow and documentation."""
