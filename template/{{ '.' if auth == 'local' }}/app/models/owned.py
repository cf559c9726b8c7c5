"""The caller in SQL, and the mixin for tables with an owner, `user_id`.

The caller is the user of a session that is open when the statement is executed.
"""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, bindparam, select
from sqlmodel import Field

from app.models.row import ID_TYPE
from app.models.scoped import Scoped
from app.models.session import Session
from app.models.user_row import USER_ID_TYPE, UserId

__all__ = ["CALLER_CONDITIONS", "CALLER_ID", "Owned", "UserId"]

_sessions = Session.__table__

# Null as soon as the session has ended: then the caller owns no rows, and cannot insert any.
CALLER_ID: ColumnElement[Any] = (
    select(_sessions.c.user_id)
    .where(
        _sessions.c.id == bindparam("_session_id", type_=ID_TYPE),
        _sessions.c.user_id == bindparam("_user_id", type_=USER_ID_TYPE),
    )
    .scalar_subquery()
)

# The conditions for rows without an owner.
CALLER_CONDITIONS: list[ColumnElement[bool]] = [CALLER_ID.is_not(None)]


class Owned(Scoped):
    """A row that belongs to a user, and is deleted with the user."""

    user_id: UserId = Field(
        foreign_key="users.id",
        ondelete="CASCADE",
        sa_type=USER_ID_TYPE,
        sa_column_kwargs={"info": {"sortable": False}},
    )

    @classmethod
    def __accessible__(cls, table: FromClause) -> list[ColumnElement[bool]]:
        return [*super().__accessible__(table), table.c.user_id == CALLER_ID]

    @classmethod
    def __added__(cls) -> dict[str, Any]:
        return {**super().__added__(), "user_id": CALLER_ID}
