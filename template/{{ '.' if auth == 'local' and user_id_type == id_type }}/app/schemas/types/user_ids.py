"""Ids of users."""

from app.schemas.types.ids import Id

UserId = Id
