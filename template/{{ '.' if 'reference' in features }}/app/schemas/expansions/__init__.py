"""Rows together with the rows that they refer to, one module per resource."""
