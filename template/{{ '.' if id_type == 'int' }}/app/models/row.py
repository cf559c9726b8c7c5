"""The base class of all tables."""

from typing import ClassVar

from sqlalchemy import BigInteger, Integer, Table
from sqlmodel import Field, SQLModel

# Set before the first table is defined: a later revision can only drop what has a name.
SQLModel.metadata.naming_convention = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
}

Id = int

# SQLite generates ids only in columns of type INTEGER.
ID_TYPE = BigInteger().with_variant(Integer(), "sqlite")


class Row(SQLModel):
    """A table with ids that the database generates, and never reuses."""

    __table__: ClassVar[Table]
    __table_args__: ClassVar[tuple[object, ...]] = ({"sqlite_autoincrement": True},)

    id: Id = Field(primary_key=True, sa_type=ID_TYPE)
