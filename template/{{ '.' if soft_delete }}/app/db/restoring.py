"""Restore soft-deleted rows."""

from typing import Any

from sqlalchemy import update
from sqlalchemy.sql.dml import ReturningUpdate

from app.db.database import ResultRow
from app.db.prepared import built_once
from app.db.scope import Scope
from app.db.statements import ROW_ID
from app.models.row import Id
from app.models.soft_deleted import SoftDeleted


@built_once
def _restore_row(model: type[SoftDeleted]) -> ReturningUpdate[Any]:
    table = model.__table__
    found = (table.c.id == ROW_ID, table.c.deleted_at.is_not(None), *model.__accessible__(table))
    statement = update(table).where(*found).values(deleted_at=None)
    return statement.returning(*model.__columns__(model.__table__))


async def restore(scope: Scope, model: type[SoftDeleted], row_id: Id) -> ResultRow:
    """Restore a row and return it; a row that is not deleted stays as it is.

    Raises:
        NotFound: the user does not have the row.
        Conflict: a unique value is in use again.
    """
    rows = await scope.execute(_restore_row(model), {"_row_id": row_id})
    return rows[0] if rows else await scope.get(model, row_id)
