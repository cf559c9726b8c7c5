"""Bodies for the tests of each resource."""
