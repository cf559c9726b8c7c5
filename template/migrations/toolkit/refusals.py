"""Checks of existing rows: a revision that would lose values is refused."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

from migrations.toolkit.online import is_offline


class MigrationRefused(CommandError):
    """Existing rows do not allow a step."""


def refuse_rows(found: sa.Select[Any], problem: str, remedy: str) -> None:
    """Check that a query finds nothing; in SQL that is only printed, it is a comment.

    Raises:
        MigrationRefused: it finds rows.
    """
    if is_offline():
        dialect = op.get_context().dialect
        query = found.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        written = " ".join(str(query).split())
        op.get_context().impl.static_output(f"-- Refused if there are rows: {written}")
        return
    refuse(count(found), problem, remedy)


def count(found: sa.Select[Any]) -> int:
    """Return the number of rows of a query."""
    query = sa.select(sa.func.count()).select_from(found.subquery())
    return int(op.get_bind().execute(query).scalar_one())


def refuse(number: int, problem: str, remedy: str) -> None:
    """Refuse the revision if there are such rows."""
    if number:
        raise MigrationRefused(f"{problem} ({number} rows). {remedy}")


def refuse_nulls(table: str, name: str) -> None:
    """Check that a column that becomes required has no nulls."""
    nulls = sa.select(sa.literal(1)).select_from(sa.table(table)).where(sa.column(name).is_(None))
    problem = f"{table}.{name} becomes required, but has nulls"
    refuse_rows(nulls, problem, "Set them first, or give the field a default.")
