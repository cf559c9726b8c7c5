"""Tables of SQLite that are replaced to be changed, with the triggers and indexes of the team."""

from typing import Any

from alembic.ddl.sqlite import SQLiteImpl
from alembic.util import CommandError
from sqlalchemy import Index, Table
from sqlalchemy.exc import OperationalError

# Triggers, and the indexes that SQLAlchemy does not read: of expressions, or in descending order.
LOST = """
    SELECT name, sql FROM sqlite_master AS object
    WHERE tbl_name = ? AND (
        type = 'trigger'
        OR type = 'index' AND EXISTS (
            SELECT 1 FROM pragma_index_xinfo(object.name) WHERE key AND (name IS NULL OR "desc")
        )
    )
"""
REPLACED = "SELECT 1 FROM sqlite_master WHERE name = ?"
PREFIX = "_alembic_tmp_"


class KeepingImpl(SQLiteImpl):
    """Replaces a table as Alembic does, and creates again what would be lost with the old one."""

    __dialect__ = "sqlite"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: dict[str, str] = {}

    def _rows(self, statement: str, *arguments: str) -> list[tuple[Any, ...]]:
        if self.connection is None:
            return []
        result = self.connection.exec_driver_sql(statement, arguments)
        return [tuple(row) for row in result] if result.returns_rows else []

    def drop_table(self, table: Table, **kw: Any) -> None:
        """Drop a table; if it is being replaced, remember what belongs to it."""
        replaced = self._rows(REPLACED, f"{PREFIX}{table.name}"[:50])
        self._kept = dict(self._rows(LOST, table.name)) if replaced else {}
        super().drop_table(table, **kw)

    def rename_table(self, old_table_name: Any, new_table_name: Any, schema: Any = None) -> None:
        """Rename a table; if it replaces another, create again what belonged to that one."""
        super().rename_table(old_table_name, new_table_name, schema)
        if not str(old_table_name).startswith(PREFIX):
            return
        for name, statement in self._kept.items():
            try:
                self._rows(statement)
            except OperationalError as error:
                raise CommandError(
                    f"{new_table_name}: {name} cannot be kept ({error.orig}); drop it in a revision "
                    "of its own before this one, and create it again afterwards"
                ) from error

    def create_index(self, index: Index, **kw: Any) -> None:
        """Create an index, unless it was kept."""
        if index.name not in self._kept:
            super().create_index(index, **kw)

    def drop_index(self, index: Index, **kw: Any) -> None:
        """Drop an index, which is then not kept."""
        self._kept.pop(str(index.name), None)
        super().drop_index(index, **kw)
