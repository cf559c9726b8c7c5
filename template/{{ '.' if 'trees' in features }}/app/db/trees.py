"""References to rows of the same table: the rows form trees, without cycles."""

from sqlalchemy import ColumnElement, RowMapping, Table, func, literal, select

from app.db.references import Check, reference_checks, update_checked, updating_checked
from app.db.scope import Model, Scope, Values
from app.models.row import Id

CYCLE = "A row cannot be its own ancestor."


def _parents(table: Table, data: Values) -> list[str]:
    """Return the columns in `data` that refer to a row of the same table."""
    names = [key.parent.name for key in table.foreign_keys if key.column.table is table]
    return [name for name in names if data.get(name) is not None]


def _acyclic(table: Table, name: str, row_id: Id, parent_id: Id) -> ColumnElement[bool]:
    """Return the condition that a row is not among its new ancestors.

    These include soft-deleted rows, which may be restored. UNION stops where it has been before, in
    a cycle that is already stored.
    """
    id_type = table.c.id.type
    ancestors = select(literal(parent_id, id_type).label("id")).cte(recursive=True)
    row = table.alias()
    step = select(row.c[name]).where(row.c.id == ancestors.c.id, row.c[name].is_not(None))
    return literal(row_id, id_type).not_in(select(ancestors.union(step).c.id))


async def _lock(scope: Scope, table: Table) -> None:
    """Make other transactions that move rows of the same trees wait until this one ends.

    Two changes at once could close a cycle that neither closes alone. SQLite has one writer anyway.
    """
    if scope.connection is not None and scope.connection.dialect.name == "postgresql":
        trees = f"{table.name} {scope.user_id}" if "user_id" in table.c else table.name
        lock = func.pg_advisory_xact_lock(func.hashtextextended(trees, 0))
        await scope.execute(select(lock))


async def update_in_tree(scope: Scope, model: Model, row_id: Id, data: Values) -> RowMapping:
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
        same = [table.c[name] == data[name] for name in moved]
        checks = reference_checks(scope, model, data)
        stays = updating_checked(scope, model, row_id, data, checks).where(*same)
        if rows := await scope.execute(stays):
            return rows[0]
    async with scope.transaction() as inner:
        await _lock(inner, table)
        acyclic = [Check(name, _acyclic(table, name, row_id, data[name]), CYCLE) for name in moved]
        return await update_checked(inner, model, row_id, data, acyclic)
