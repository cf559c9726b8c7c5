"""The base class of the table of users, whose ids differ from those of other rows."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy import Table, Uuid
from sqlmodel import Field, SQLModel
from uuid_utils.compat import uuid7

UserId = UUID
USER_ID_TYPE = Uuid()


class UserRow(SQLModel):
    """A user with a time-ordered id (UUID version 7, RFC 9562)."""

    __table__: ClassVar[Table]

    id: UserId = Field(default_factory=uuid7, primary_key=True, sa_type=USER_ID_TYPE)
