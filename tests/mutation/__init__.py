"""Mutation tests: the own tests of rendered projects detect defects."""
