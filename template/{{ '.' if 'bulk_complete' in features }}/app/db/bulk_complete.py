"""Update many rows at once."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.sql.dml import ReturningUpdate

from app.db.database import Values
from app.db.prepared import built_once
from app.db.scope import Scope
from app.db.statements import Model
from app.models.row import Id


@built_once
def _update_rows(model: Model) -> ReturningUpdate[Any]:
    table = model.__table__
    found = (table.c.id.in_(bindparam("_row_ids")), *model.__visible__(table))
    return update(table).where(*found).returning(table.c.id)


async def update_many(scope: Scope, model: Model, row_ids: Sequence[Id], data: Values) -> set[Id]:
    """Update the rows in scope among those with the ids; return the ids of the updated rows."""
    rows = await scope.execute(_update_rows(model), {**data, "_row_ids": row_ids})
    return {row["id"] for row in rows}
