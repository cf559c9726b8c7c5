"""Tables that are accessed through a scope, and what the scope adds to each statement."""

from typing import Any

from sqlalchemy import ColumnElement, Delete, FromClause, Update, delete

from app.models.row import Row


class Scoped(Row):
    """A row that is read and written through a scope.

    Mixins extend these methods; the underscores keep the names free for columns.
    """

    @classmethod
    def __accessible__(cls, _table: FromClause) -> list[ColumnElement[bool]]:
        """Return the conditions for the rows that the caller may access, in the table or an alias."""
        return []

    @classmethod
    def __visible__(cls, table: FromClause) -> list[ColumnElement[bool]]:
        """Return the conditions for the rows that the caller can see."""
        return cls.__accessible__(table)

    @classmethod
    def __added__(cls) -> dict[str, Any]:
        """Return the values that are added to each row that the caller inserts."""
        return {}

    @classmethod
    def __columns__(cls, table: FromClause) -> list[Any]:
        """Return what is selected of each row, of the table or an alias."""
        return [table]

    @classmethod
    def __deletion__(cls) -> Delete | Update:
        """Return the statement that deletes rows."""
        return delete(cls.__table__)
