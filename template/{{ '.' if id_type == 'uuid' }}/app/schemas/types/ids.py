"""Ids of rows."""

from uuid import UUID

RowId = UUID
