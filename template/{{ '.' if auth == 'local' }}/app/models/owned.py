"""The mixin for tables with an owner, `user_id`."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause
from sqlmodel import Field

from app.models.row import ID_TYPE, Id
from app.models.scoped import Scoped

UserId = Id


class Owned(Scoped):
    """A row that belongs to a user, and is deleted with the user."""

    user_id: UserId = Field(
        foreign_key="users.id",
        ondelete="CASCADE",
        sa_type=ID_TYPE,
        sa_column_kwargs={"info": {"sortable": False}},
    )

    @classmethod
    def __accessible__(cls, table: FromClause, user_id: Any) -> list[ColumnElement[bool]]:
        return [*super().__accessible__(table, user_id), table.c.user_id == user_id]

    @classmethod
    def __added__(cls, user_id: Any) -> dict[str, Any]:
        return {**super().__added__(user_id), "user_id": user_id}
