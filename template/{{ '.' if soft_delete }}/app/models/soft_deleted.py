"""The mixin for soft deletion, which adds `deleted_at`."""

from datetime import datetime

from sqlalchemy import ColumnElement, FromClause, Update, bindparam, update
from sqlmodel import Field

from app.models.datetimes import UtcDateTime, utc_now
from app.models.scoped import Scoped


class SoftDeleted(Scoped):
    """Adds `deleted_at`; a row that has it can only be restored."""

    deleted_at: datetime | None = Field(
        sa_type=UtcDateTime, sa_column_kwargs={"info": {"sortable": False}}
    )

    @classmethod
    def __visible__(cls, table: FromClause) -> list[ColumnElement[bool]]:
        return [*super().__visible__(table), table.c.deleted_at.is_(None)]

    @classmethod
    def __deletion__(cls) -> Update:
        # Called when the statement is executed, which is built once.
        now = bindparam("_now", callable_=utc_now, type_=UtcDateTime())
        return update(cls.__table__).values(deleted_at=now)
