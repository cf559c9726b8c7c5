"""Insert many rows at once."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, insert

from app.db.scope import Model, Scope, Values


async def insert_many(scope: Scope, model: Model, rows: Sequence[Values]) -> list[RowMapping]:
    """Insert all rows or none, and return them in the same order.

    Raises:
        Conflict: a unique value is already in use.
    """
    table = model.__table__
    values = [{**row, **model.__added__(scope.user_id)} for row in rows]
    statement = insert(table).returning(table, sort_by_parameter_order=True)
    async with scope.transaction() as inner:
        return await inner.execute(statement, values)
