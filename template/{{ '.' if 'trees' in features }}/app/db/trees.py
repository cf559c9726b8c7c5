"""References to rows of the same table: the rows form trees, without cycles."""

from functools import cache
from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.sql.dml import ReturningUpdate

from app.db.database import ResultRow, Values
from app.db.prepared import built_once
from app.db.references import (
    Check,
    Checks,
    new_value,
    reference_checks,
    update_checked,
    update_row_checked,
    values_of,
)
from app.db.scope import Scope
from app.db.statements import ROW_ID, Model
from app.models.row import Id

CYCLE = "A row cannot be its own ancestor."


def _parents(table: Table, data: Values) -> tuple[str, ...]:
    """Return the columns in `data` that refer to a row of the same table."""
    names = [key.parent.name for key in table.foreign_keys if key.column.table is table]
    return tuple(name for name in names if data.get(name) is not None)


@cache
def _acyclic(table: Table, name: str) -> Check:
    """Return the check that a row is not among its new ancestors.

    These include soft-deleted rows, which may be restored. UNION stops where it has been before, in
    a cycle that is already stored.
    """
    ancestors = select(new_value(name).label("id")).cte(recursive=True)
    row = table.alias()
    step = select(row.c[name]).where(row.c.id == ancestors.c.id, row.c[name].is_not(None))
    return Check(name, ROW_ID.not_in(select(ancestors.union(step).c.id)), CYCLE)


@built_once
def _update_in_place(model: Model, moved: tuple[str, ...], checks: Checks) -> ReturningUpdate[Any]:
    """Return the statement that updates a row if it keeps its parents."""
    same = [model.__table__.c[name] == new_value(name) for name in moved]
    return update_row_checked(model, checks).where(*same)


async def _lock(scope: Scope, table: Table) -> None:
    """Make other transactions that move rows of the same trees wait until this one ends.

    Two changes at once could close a cycle that neither closes alone. SQLite has one writer anyway.
    """
    if scope.connection is not None and scope.connection.dialect.name == "postgresql":
        trees = f"{table.name} {scope.caller.user_id}" if "user_id" in table.c else table.name
        lock = func.pg_advisory_xact_lock(func.hashtextextended(trees, 0))
        await scope.execute(select(lock))


async def update_in_tree(scope: Scope, model: Model, row_id: Id, data: Values) -> ResultRow:
    """Update the columns in `data` and return the row; without data, nothing is written.

    Raises:
        NotFound: the scope does not have the row.
        Conflict: a unique value is already in use.
        ValidationFailed: a new reference is not to a row in scope, or closes a cycle.
    """
    table = model.__table__
    moved = _parents(table, data)
    if not moved:
        return await update_checked(scope, model, row_id, data)
    if scope.connection is None:
        # A row that keeps its parent needs no lock.
        checks = reference_checks(model, data)
        values = {**data, **values_of(checks, data), "_row_id": row_id}
        if rows := await scope.execute(_update_in_place(model, moved, checks), values):
            return rows[0]
    async with scope.transaction() as inner:
        await _lock(inner, table)
        acyclic = tuple(_acyclic(table, name) for name in moved)
        return await update_checked(inner, model, row_id, data, acyclic)
