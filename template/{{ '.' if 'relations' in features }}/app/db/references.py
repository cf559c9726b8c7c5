"""References: a row may only refer to rows in scope, as the statement that writes it checks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, exists, insert, literal, or_, select
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel.main import default_registry

from app.db.scope import Model, Scope, Values
from app.errors import ValidationFailed
from app.models.row import Id

# The same for the row of another user.
NO_SUCH_ROW = "There is no such row."


@dataclass(frozen=True)
class Check:
    """A condition that a column's new value must meet, and the message if it does not."""

    name: str
    condition: ColumnElement[bool]
    message: str


@cache
def model_of(table: Table) -> Model:
    """Return the model of a table."""
    mappers = default_registry.mappers
    model: Model = next(mapper.class_ for mapper in mappers if mapper.local_table is table)
    return model


def reference_checks(scope: Scope, model: Model, data: Values) -> list[Check]:
    """Return, for each reference in `data`, the check that it is to a row in scope."""
    checks = []
    for column in model.__table__.columns:
        for key in column.foreign_keys:
            value = data.get(column.name)
            if value is not None:
                target = key.column.table.alias()
                visible = scope.visible(model_of(key.column.table), target)
                found = exists().where(target.c.id == value, *visible)
                checks.append(Check(column.name, found, NO_SUCH_ROW))
    return checks


async def failed(scope: Scope, checks: Sequence[Check]) -> dict[str, str]:
    """Return the messages of the checks that fail, by column; the last one of a column counts."""
    if not checks:
        return {}
    labelled = [check.condition.label(f"check_{n}") for n, check in enumerate(checks)]
    [row] = await scope.execute(select(*labelled))
    passed = row.values()
    return {c.name: c.message for c, passes in zip(checks, passed, strict=True) if not passes}


async def missing_ids(scope: Scope, table: Table, ids: Collection[Id]) -> set[Id]:
    """Return the ids that are not those of rows in scope."""
    query = select(table.c.id).where(table.c.id.in_(ids), *scope.visible(model_of(table)))
    return set(ids) - {row["id"] for row in await scope.execute(query)}


async def insert_checked(scope: Scope, model: Model, data: Values) -> RowMapping:
    """Insert a row and return it.

    Raises:
        Conflict: a unique value is already in use.
        ValidationFailed: a reference is not to a row in scope.
    """
    checks = reference_checks(scope, model, data)
    if not checks:
        return await scope.insert(model, data)
    table = model.__table__
    values = {**data, **model.__added__(scope.user_id)}
    literals = [literal(value, table.c[name].type) for name, value in values.items()]
    source = select(*literals).where(*(check.condition for check in checks))
    statement = insert(table).from_select(list(values), source).returning(table)
    rows = await scope.execute(statement)
    if not rows:
        raise ValidationFailed(errors=await failed(scope, checks))
    return rows[0]


def updating_checked(
    scope: Scope, model: Model, row_id: Id, data: Values, checks: Sequence[Check]
) -> ReturningUpdate[Any]:
    """Return the statement that updates a row if its new references pass the checks."""
    columns = model.__table__.c
    # A reference that keeps its value is not new.
    met = [or_(columns[check.name] == data[check.name], check.condition) for check in checks]
    return scope.updating(model, row_id, data).where(*met)


async def update_checked(
    scope: Scope, model: Model, row_id: Id, data: Values, more: Sequence[Check] = ()
) -> RowMapping:
    """Update the columns in `data` and return the row; without data, nothing is written.

    Raises:
        NotFound: the scope does not have the row.
        Conflict: a unique value is already in use.
        ValidationFailed: a new reference is not to a row in scope, or fails one more check.
    """
    checks = [*more, *reference_checks(scope, model, data)]
    if not checks:
        return await scope.update(model, row_id, data)
    rows = await scope.execute(updating_checked(scope, model, row_id, data, checks))
    if not rows:
        stored = await scope.get(model, row_id)
        changed = [check for check in checks if stored[check.name] != data[check.name]]
        raise ValidationFailed(errors=await failed(scope, changed))
    return rows[0]
