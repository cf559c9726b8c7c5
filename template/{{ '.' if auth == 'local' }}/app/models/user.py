"""The table of users."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from app.models.datetimes import UtcDateTime
from app.models.user_row import UserRow

MAX_EMAIL_LENGTH = 320
MAX_NAME_LENGTH = 200


class User(UserRow, table=True):
    """A user who can log in."""

    __tablename__ = "users"
    __table_args__ = (sa.Index("uq_users_email", "email", unique=True),)

    # Normalized: composed and in lower case.
    email: str = Field(max_length=MAX_EMAIL_LENGTH)
    name: str | None = Field(max_length=MAX_NAME_LENGTH)
    password_hash: str = Field(max_length=255)
    password_changed_at: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    # Since when the user cannot log in; a disabled user has no sessions.
    disabled_at: datetime | None = Field(sa_type=UtcDateTime)
