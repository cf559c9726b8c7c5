"""The table of sessions: one row for each login that has neither ended nor expired."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from app.models.datetimes import UtcDateTime
from app.models.owned import Owned

HASH_LENGTH = 64


class Session(Owned, table=True):
    """What one login gave: a family of refresh tokens, of which the last one counts.

    Access tokens name the session by its id and end with it.
    """

    __tablename__ = "sessions"

    # SHA-256 of the two parts of the refresh token: one stays, the other is new at each refresh.
    family_hash: str = Field(max_length=HASH_LENGTH)
    token_hash: str = Field(max_length=HASH_LENGTH)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


Index("uq_sessions_family_hash", Session.__table__.c.family_hash, unique=True)
Index("ix_sessions_user_id", Session.__table__.c.user_id)
