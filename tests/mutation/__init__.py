"""Mutation tests: a project's own tests fail where its code is wrong."""
