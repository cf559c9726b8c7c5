"""The table of idempotency keys."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from app.models.datetimes import UtcDateTime
from app.models.owned import Owned

MAX_KEY_LENGTH = 255
HASH_LENGTH = 64


class IdempotencyKey(Owned, table=True):
    """A key that a user has sent with a request, and the response to that request."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        sa.Index("uq_idempotency_keys_user_id_key", "user_id", "key", unique=True),
        sa.Index("ix_idempotency_keys_created_at", "created_at"),
    )

    key: str = Field(max_length=MAX_KEY_LENGTH)
    # SHA-256 of the request: another one with the same key is a mistake of the client.
    request_hash: str = Field(max_length=HASH_LENGTH)
    response_body: str = Field(sa_type=sa.Text)
    created_at: datetime = Field(sa_type=UtcDateTime)
