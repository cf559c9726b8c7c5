"""Whose a row is."""

from sqlmodel import Field

from app.models.row import Row


class Owned(Row):
    """A row that belongs to a user of the issuer, whose ids are text and tell case apart."""

    user_id: str = Field(max_length=255, sa_column_kwargs={"info": {"sortable": False}})
