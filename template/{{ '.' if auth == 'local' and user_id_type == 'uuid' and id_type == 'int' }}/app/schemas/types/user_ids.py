"""Ids of users."""

from uuid import UUID

UserId = UUID
