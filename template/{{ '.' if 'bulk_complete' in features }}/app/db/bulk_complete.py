"""Update many rows at once."""

from collections.abc import Sequence

from sqlalchemy import update

from app.db.scope import Model, Scope, Values
from app.models.row import Id


async def update_many(scope: Scope, model: Model, row_ids: Sequence[Id], data: Values) -> set[Id]:
    """Update the rows in scope among those with the ids; return the ids of the updated rows."""
    table = model.__table__
    found = [table.c.id.in_(row_ids), *scope.visible(model)]
    statement = update(table).where(*found).values(data).returning(table.c.id)
    return {row["id"] for row in await scope.execute(statement)}
