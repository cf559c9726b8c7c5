"""Ids of rows."""

from uuid import UUID

Id = UUID
BodyId = UUID
