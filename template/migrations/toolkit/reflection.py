"""The column types of an existing SQLite database, as they are on any database."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Inspector, Table, event

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PORTABLE: dict[type[Any], sa.types.TypeEngine[Any]] = {
    sa.CHAR: sa.Uuid(),
    sa.DATETIME: sa.DateTime(timezone=True),
    sa.DATE: sa.Date(),
    sa.BOOLEAN: sa.Boolean(),
    sa.FLOAT: sa.Float(),
    sa.TEXT: sa.Text(),
}


def make_portable(inspector: Inspector, table: Table, column: Any) -> None:
    """Replace the type of a column that was read from SQLite."""
    if inspector.bind.dialect.name != "sqlite":
        return
    type_ = column["type"]
    if isinstance(type_, sa.INTEGER):
        keys = inspector.get_foreign_keys(table.name)
        refers = any(column["name"] in key["constrained_columns"] for key in keys)
        column["type"] = ID if column["name"] == "id" or refers else sa.Integer()
    elif isinstance(type_, sa.VARCHAR):
        column["type"] = sa.String(type_.length)
    else:
        found = (plain for kind, plain in PORTABLE.items() if isinstance(type_, kind))
        column["type"] = next(found, type_)


def listen() -> None:
    """Let every reflected table have portable types."""
    if not event.contains(Table, "column_reflect", make_portable):
        event.listen(Table, "column_reflect", make_portable)
