"""The base class of all tables."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy import Table, Uuid
from sqlmodel import Field, SQLModel
from uuid_utils.compat import uuid7

# Set before the first table is defined: a later revision can only drop what has a name.
SQLModel.metadata.naming_convention = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
}

Id = UUID
ID_TYPE = Uuid()


class Row(SQLModel):
    """A table with time-ordered ids (UUID version 7, RFC 9562)."""

    __table__: ClassVar[Table]

    id: Id = Field(default_factory=uuid7, primary_key=True, sa_type=ID_TYPE)
