"""Rows that are hidden before they are gone."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.models.datetimes import UtcDateTime


class SoftDeleted(SQLModel):
    """Adds `deleted_at`: a row that has it is hidden from everything but its restoration."""

    deleted_at: datetime | None = Field(
        sa_type=UtcDateTime, sa_column_kwargs={"info": {"sortable": False}}
    )
