"""Toggle the completion of rows."""

from typing import Any

from sqlalchemy.sql.dml import ReturningUpdate

from app.db.database import ResultRow
from app.db.prepared import built_once
from app.db.scope import Scope
from app.db.statements import Model, update_row
from app.models.row import Id


@built_once
def _toggle(model: Model, name: str) -> ReturningUpdate[Any]:
    # Null counts as false.
    return update_row(model).values({name: model.__table__.c[name].is_not(True)})


async def toggle(scope: Scope, model: Model, row_id: Id, name: str) -> ResultRow:
    """Toggle a boolean column and return the row.

    Raises:
        NotFound: the scope does not have the row.
    """
    return await scope.execute_on(model, row_id, _toggle(model, name))
