"""Restore soft-deleted rows."""

from sqlalchemy import RowMapping, update

from app.db.scope import Model, Scope
from app.models.row import Id


async def restore(scope: Scope, model: Model, row_id: Id) -> RowMapping:
    """Restore a row and return it; a row that is not deleted stays as it is.

    Raises:
        NotFound: the user does not have the row.
        Conflict: a unique value is in use again.
    """
    table = model.__table__
    found = (table.c.id == row_id, *model.__accessible__(table, scope.user_id))
    deleted = update(table).where(*found, table.c.deleted_at.is_not(None))
    statement = deleted.values(deleted_at=None)
    rows = await scope.execute(statement.returning(*model.__columns__()))
    return rows[0] if rows else await scope.get(model, row_id)
