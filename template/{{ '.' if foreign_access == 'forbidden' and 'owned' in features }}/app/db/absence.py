"""The error for a row that is not in scope."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, select

from app.db.prepared import built_once
from app.db.statements import ROW_ID, Model
from app.errors import ApiError, Forbidden, NotFound
from app.models.owned import CALLER_ID, Owned
from app.models.row import Id

if TYPE_CHECKING:
    from app.db.scope import Scope


@built_once
def _select_foreign_row(model: Model) -> Select[Any]:
    columns = model.__table__.c
    return select(columns.id).where(columns.id == ROW_ID, columns.user_id != CALLER_ID)


async def absence(scope: "Scope", model: Model, row_id: Id) -> ApiError:
    """Return Forbidden for the row of another user, and NotFound for a missing one."""
    owned = issubclass(model, Owned)
    if owned and await scope.execute(_select_foreign_row(model), {"_row_id": row_id}):
        return Forbidden("This belongs to another user.")
    return NotFound(f"{model.__name__} not found.")
