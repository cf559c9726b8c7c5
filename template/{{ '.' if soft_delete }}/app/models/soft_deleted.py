"""The mixin for soft deletion, which adds `deleted_at`."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Update, update
from sqlmodel import Field

from app.models.datetimes import UtcDateTime, utc_now
from app.models.scoped import Scoped


class SoftDeleted(Scoped):
    """Adds `deleted_at`; a row that has it can only be restored."""

    deleted_at: datetime | None = Field(
        sa_type=UtcDateTime, sa_column_kwargs={"info": {"sortable": False}}
    )

    @classmethod
    def __visible__(cls, table: FromClause, user_id: Any) -> list[ColumnElement[bool]]:
        return [*super().__visible__(table, user_id), table.c.deleted_at.is_(None)]

    @classmethod
    def __deletion__(cls) -> Update:
        return update(cls.__table__).values(deleted_at=utc_now())
