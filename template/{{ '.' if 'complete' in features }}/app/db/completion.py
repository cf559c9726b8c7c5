"""Toggle the completion of rows."""

from sqlalchemy import RowMapping

from app.db.scope import Model, Scope
from app.models.row import Id


async def toggle(scope: Scope, model: Model, row_id: Id, name: str) -> RowMapping:
    """Toggle a boolean column and return the row; null counts as false.

    Raises:
        NotFound: the scope does not have the row.
    """
    return await scope.update(model, row_id, {name: model.__table__.c[name].is_not(True)})
