"""The caller in SQL, and the mixin for tables with an owner, `user_id`."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, String, bindparam
from sqlmodel import Field

from app.models.scoped import Scoped

# Ids of the issuer's users are case-sensitive strings.
UserId = str

# The user of the token.
CALLER_ID: ColumnElement[Any] = bindparam("_user_id", type_=String())

# The conditions for rows without an owner.
CALLER_CONDITIONS: list[ColumnElement[bool]] = []


class Owned(Scoped):
    """A row that belongs to a user."""

    user_id: UserId = Field(max_length=255, sa_column_kwargs={"info": {"sortable": False}})

    @classmethod
    def __accessible__(cls, table: FromClause) -> list[ColumnElement[bool]]:
        return [*super().__accessible__(table), table.c.user_id == CALLER_ID]

    @classmethod
    def __added__(cls) -> dict[str, Any]:
        return {**super().__added__(), "user_id": CALLER_ID}
