"""The base class of the table of users, whose ids differ from those of other rows."""

from typing import ClassVar

from sqlalchemy import BigInteger, Integer, Table
from sqlmodel import Field, SQLModel

UserId = int

# SQLite generates ids only in columns of type INTEGER.
USER_ID_TYPE = BigInteger().with_variant(Integer(), "sqlite")


class UserRow(SQLModel):
    """A user with an id that the database generates, and never reuses."""

    __table__: ClassVar[Table]

    id: UserId = Field(primary_key=True, sa_type=USER_ID_TYPE)
