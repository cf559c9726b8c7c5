"""The table of sessions."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from app.models.datetimes import UtcDateTime
from app.models.row import Row
from app.models.user_row import USER_ID_TYPE, UserId

HASH_LENGTH = 64


class Session(Row, table=True):
    """A login that has not ended, with its current refresh token.

    Access tokens contain the id of the session, and are valid until it ends.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        sa.Index("uq_sessions_family_hash", "family_hash", unique=True),
        sa.Index("ix_sessions_user_id", "user_id"),
        sa.Index("ix_sessions_expires_at", "expires_at"),
    )

    user_id: UserId = Field(foreign_key="users.id", ondelete="CASCADE", sa_type=USER_ID_TYPE)
    # SHA-256 of the two parts of the refresh token; the second is new after each refresh.
    family_hash: str = Field(max_length=HASH_LENGTH)
    token_hash: str = Field(max_length=HASH_LENGTH)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
