"""The table of mails that are to be sent."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from app.models.datetimes import UtcDateTime
from app.models.row import Row
from app.models.user import MAX_EMAIL_LENGTH
from app.models.user_row import USER_ID_TYPE, UserId


class OutgoingMail(Row, table=True):
    """A mail that has not been sent yet."""

    __tablename__ = "outgoing_mails"
    __table_args__ = (
        sa.Index("ix_outgoing_mails_user_id", "user_id"),
        sa.Index("ix_outgoing_mails_next_attempt_at", "next_attempt_at"),
    )

    kind: str = Field(max_length=32)
    recipient: str = Field(max_length=MAX_EMAIL_LENGTH)
    # Null if the sender has to find the user by the recipient.
    user_id: UserId | None = Field(foreign_key="users.id", ondelete="CASCADE", sa_type=USER_ID_TYPE)
    created_at: datetime = Field(sa_type=UtcDateTime)
    attempts: int
    next_attempt_at: datetime = Field(sa_type=UtcDateTime)
