"""The mixin for tables with an owner, `user_id`."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause
from sqlmodel import Field

from app.models.scoped import Scoped

# Ids of the issuer's users are case-sensitive strings.
UserId = str


class Owned(Scoped):
    """A row that belongs to a user."""

    user_id: UserId = Field(max_length=255, sa_column_kwargs={"info": {"sortable": False}})

    @classmethod
    def __accessible__(cls, table: FromClause, user_id: Any) -> list[ColumnElement[bool]]:
        return [*super().__accessible__(table, user_id), table.c.user_id == user_id]

    @classmethod
    def __added__(cls, user_id: Any) -> dict[str, Any]:
        return {**super().__added__(user_id), "user_id": user_id}
