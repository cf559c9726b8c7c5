"""Insert many rows at once."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert
from sqlalchemy.sql.dml import ReturningInsert

from app.db.database import ResultRow, Values
from app.db.prepared import built_once
from app.db.scope import Scope
from app.db.statements import Model


@built_once
def _insert_in_order(model: Model) -> ReturningInsert[Any]:
    table = model.__table__
    statement = insert(table).values(model.__added__())
    return statement.returning(table, sort_by_parameter_order=True)


async def insert_many(scope: Scope, model: Model, rows: Sequence[Values]) -> list[ResultRow]:
    """Insert all rows or none, and return them in the same order.

    Raises:
        Conflict: a unique value is already in use.
    """
    async with scope.transaction() as inner:
        return await inner.execute(_insert_in_order(model), rows)
