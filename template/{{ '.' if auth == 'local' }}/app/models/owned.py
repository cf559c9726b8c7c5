"""Whose a row is."""

from sqlmodel import Field

from app.models.row import ID_TYPE, Id, Row


class Owned(Row):
    """A row that belongs to a user, and goes when the user goes."""

    user_id: Id = Field(
        foreign_key="users.id",
        ondelete="CASCADE",
        sa_type=ID_TYPE,
        sa_column_kwargs={"info": {"sortable": False}},
    )
