"""References: a row may only refer to rows in scope, as the statement that writes it checks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    Table,
    bindparam,
    exists,
    insert,
    or_,
    select,
)
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate
from sqlmodel.main import default_registry

from app.db.database import ResultRow, Values
from app.db.prepared import built_once
from app.db.scope import Scope
from app.db.statements import Model, update_row
from app.errors import ValidationFailed
from app.models.owned import CALLER_CONDITIONS
from app.models.row import ID_TYPE, Id

# The same for the row of another user.
NO_SUCH_ROW = "There is no such row."


@dataclass(frozen=True, eq=False)
class Check:
    """A condition that a column's new value must meet, and the message if it does not."""

    name: str
    condition: ColumnElement[bool]
    message: str


Checks = tuple[Check, ...]


@cache
def model_of(table: Table) -> Model:
    """Return the model of a table."""
    mappers = default_registry.mappers
    model: Model = next(mapper.class_ for mapper in mappers if mapper.local_table is table)
    return model


def new_value(name: str) -> ColumnElement[Any]:
    """Return the parameter of a check for the new value of a column."""
    return bindparam(f"_new_{name}", type_=ID_TYPE)


@cache
def _check(model: Model, name: str) -> Check:
    """Return the check that the reference in a column is to a row in scope."""
    [key] = model.__table__.c[name].foreign_keys
    target = key.column.table.alias()
    visible = model_of(key.column.table).__visible__(target)
    return Check(name, exists().where(target.c.id == new_value(name), *visible), NO_SUCH_ROW)


def reference_checks(model: Model, data: Values) -> Checks:
    """Return, for each reference in `data`, the check that it is to a row in scope."""
    names = [column.name for column in model.__table__.columns if column.foreign_keys]
    return tuple(_check(model, name) for name in names if data.get(name) is not None)


def values_of(checks: Sequence[Check], data: Values) -> dict[str, Any]:
    """Return the values of the parameters of checks."""
    return {f"_new_{check.name}": data[check.name] for check in checks}


@built_once
def _select_checks(checks: Checks) -> Executable:
    return select(*(check.condition.label(f"check_{n}") for n, check in enumerate(checks)))


async def failed(scope: Scope, checks: Checks, values: Values) -> dict[str, str]:
    """Return the messages of the checks that fail, by column; the last one of a column counts."""
    if not checks:
        return {}
    [row] = await scope.execute(_select_checks(checks), values)
    passed = row.values()
    return {c.name: c.message for c, passes in zip(checks, passed, strict=True) if not passes}


@built_once
def _select_ids(model: Model) -> Select[Any]:
    table = model.__table__
    wanted = table.c.id.in_(bindparam("_row_ids"))
    return select(table.c.id).where(wanted, *model.__visible__(table))


async def missing_ids(scope: Scope, table: Table, ids: Collection[Id]) -> set[Id]:
    """Return the ids that are not those of rows in scope."""
    found = await scope.execute(_select_ids(model_of(table)), {"_row_ids": list(ids)})
    return set(ids) - {row["id"] for row in found}


@built_once
def _insert_checked(model: Model, names: tuple[str, ...], checks: Checks) -> ReturningInsert[Any]:
    """Return the statement that inserts a row if its references pass the checks."""
    columns = model.__table__.c
    values = {name: bindparam(f"_value_{name}", type_=columns[name].type) for name in names}
    values |= model.__added__()
    met = [check.condition for check in checks]
    source = select(*values.values()).where(*met, *CALLER_CONDITIONS)
    return insert(model.__table__).from_select(list(values), source).returning(model.__table__)


async def insert_checked(scope: Scope, model: Model, data: Values) -> ResultRow:
    """Insert a row and return it.

    Raises:
        Conflict: a unique value is already in use.
        ValidationFailed: a reference is not to a row in scope.
    """
    checks = reference_checks(model, data)
    if not checks:
        return await scope.insert(model, data)
    checked = values_of(checks, data)
    values = {f"_value_{name}": value for name, value in data.items()}
    statement = _insert_checked(model, tuple(data), checks)
    rows = await scope.execute(statement, {**values, **checked})
    if not rows:
        raise ValidationFailed(errors=await failed(scope, checks, checked))
    return rows[0]


@built_once
def update_row_checked(model: Model, checks: Checks) -> ReturningUpdate[Any]:
    """Return the statement that updates a row if its new references pass the checks."""
    columns = model.__table__.c
    # A reference that keeps its value is not new.
    met = [or_(columns[check.name] == new_value(check.name), check.condition) for check in checks]
    return update_row(model).where(*met)


async def update_checked(
    scope: Scope, model: Model, row_id: Id, data: Values, more: Checks = ()
) -> ResultRow:
    """Update the columns in `data` and return the row; without data, nothing is written.

    Raises:
        NotFound: the scope does not have the row.
        Conflict: a unique value is already in use.
        ValidationFailed: a new reference is not to a row in scope, or fails one more check.
    """
    checks = (*more, *reference_checks(model, data))
    if not checks:
        return await scope.update(model, row_id, data)
    checked = {**values_of(checks, data), "_row_id": row_id}
    rows = await scope.execute(update_row_checked(model, checks), {**data, **checked})
    if not rows:
        stored = await scope.get(model, row_id)
        changed = tuple(check for check in checks if stored[check.name] != data[check.name])
        raise ValidationFailed(errors=await failed(scope, changed, checked))
    return rows[0]
