"""Column types as any database has them, not only the one that a revision is compared with."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Inspector, Table, event

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def portable(inspector: Inspector, table: str, name: str, type_: Any) -> Any:
    """Return the type that SQLite's own stands for."""
    if isinstance(type_, sa.INTEGER):
        keys = inspector.get_foreign_keys(table)
        refers = any(name in key["constrained_columns"] for key in keys)
        return ID if name == "id" or refers else sa.Integer()
    known = {
        sa.CHAR: sa.Uuid(),
        sa.DATETIME: sa.DateTime(timezone=True),
        sa.DATE: sa.Date(),
        sa.BOOLEAN: sa.Boolean(),
        sa.FLOAT: sa.Float(),
        sa.TEXT: sa.Text(),
    }
    for kind, plain in known.items():
        if isinstance(type_, kind):
            return plain
    if isinstance(type_, sa.VARCHAR):
        return sa.String(type_.length)
    return type_


@event.listens_for(Table, "column_reflect")
def _make_portable(inspector: Inspector, table: Table, column: Any) -> None:
    if inspector.bind.dialect.name == "sqlite":
        column["type"] = portable(inspector, table.name, column["name"], column["type"])
