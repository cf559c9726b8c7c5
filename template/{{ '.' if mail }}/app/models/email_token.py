"""The table of tokens that are sent by mail."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from app.models.datetimes import UtcDateTime
from app.models.row import Row
from app.models.user import MAX_EMAIL_LENGTH
from app.models.user_row import USER_ID_TYPE, UserId


class EmailToken(Row, table=True):
    """A token that was sent to an email, and can be used once."""

    __tablename__ = "email_tokens"
    __table_args__ = (
        sa.Index("uq_email_tokens_token_hash", "token_hash", unique=True),
        sa.Index("ix_email_tokens_user_id", "user_id"),
        sa.Index("ix_email_tokens_expires_at", "expires_at"),
    )

    user_id: UserId = Field(foreign_key="users.id", ondelete="CASCADE", sa_type=USER_ID_TYPE)
    purpose: str = Field(max_length=32)
    # SHA-256 of the token.
    token_hash: str = Field(max_length=64)
    # That the token was sent to; for a change of the email, the new one.
    email: str = Field(max_length=MAX_EMAIL_LENGTH)
    # The time when the password of the user was set; the token is valid for this password only.
    password_changed_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
