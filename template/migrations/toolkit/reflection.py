"""The column types of an existing database, as the models declare them."""

from typing import Any

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Inspector, Table, event
from sqlalchemy.dialects import postgresql

from migrations.toolkit.online import length_limit

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# The types that SQLite knows by other names.
PORTABLE: dict[type[Any], sa.types.TypeEngine[Any]] = {
    sa.DATETIME: sa.DateTime(timezone=True),
    sa.DATE: sa.Date(),
    sa.BOOLEAN: sa.Boolean(),
    sa.FLOAT: sa.Float(),
    sa.TEXT: sa.Text(),
    sa.JSON: sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
}
UUID_LENGTH = 32


def make_portable(inspector: Inspector, table: Table, column: Any) -> None:
    """Replace the type of a column that was read from a database."""
    if inspector.bind.dialect.name == "sqlite":
        column["type"] = _read_from_sqlite(inspector, table.name, column)
    elif isinstance(column["type"], sa.String):
        checks = inspector.get_check_constraints(table.name)
        limit = length_limit(checks, table.name, column["name"])
        column["type"] = column["type"] if limit is None else sa.String(limit)


def _read_from_sqlite(inspector: Inspector, table: str, column: Any) -> sa.types.TypeEngine[Any]:
    type_: sa.types.TypeEngine[Any] = column["type"]
    if isinstance(type_, sa.INTEGER):
        keys = inspector.get_foreign_keys(table)
        refers = any(column["name"] in key["constrained_columns"] for key in keys)
        return ID if column["name"] == "id" or refers else sa.Integer()
    if isinstance(type_, sa.VARCHAR):
        return sa.String(type_.length)
    if isinstance(type_, sa.CHAR):
        return sa.Uuid() if type_.length == UUID_LENGTH else type_
    return next((plain for kind, plain in PORTABLE.items() if isinstance(type_, kind)), type_)


def listen() -> None:
    """Let every reflected table have portable types."""
    if not event.contains(Table, "column_reflect", make_portable):
        event.listen(Table, "column_reflect", make_portable)


def compare_type(
    context: MigrationContext,
    _inspected: sa.Column[Any],
    _declared: sa.Column[Any],
    found: sa.types.TypeEngine[Any],
    wanted: sa.types.TypeEngine[Any],
) -> bool | None:
    """Return False if two types are the same in the database, and leave the others to Alembic."""
    dialect = context.dialect
    same = found.compile(dialect) == wanted.compile(dialect)
    return False if same else None
