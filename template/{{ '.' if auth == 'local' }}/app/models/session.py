"""The table of sessions."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from app.models.datetimes import UtcDateTime
from app.models.owned import Owned

HASH_LENGTH = 64


class Session(Owned, table=True):
    """A login that has not ended, with its current refresh token.

    Access tokens contain the id of the session, and are valid until it ends.
    """

    __tablename__ = "sessions"

    # SHA-256 of the two parts of the refresh token; the second is new after each refresh.
    family_hash: str = Field(max_length=HASH_LENGTH)
    token_hash: str = Field(max_length=HASH_LENGTH)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


Index("uq_sessions_family_hash", Session.__table__.c.family_hash, unique=True)
Index("ix_sessions_user_id", Session.__table__.c.user_id)
