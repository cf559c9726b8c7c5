"""The error for a row that is not in scope."""

from typing import TYPE_CHECKING

from sqlalchemy import select

from app.errors import ApiError, Forbidden, NotFound
from app.models.owned import Owned
from app.models.row import Id

if TYPE_CHECKING:
    from app.db.scope import Model, Scope


async def absence(scope: "Scope", model: "Model", row_id: Id) -> ApiError:
    """Return Forbidden for the row of another user, and NotFound for a missing one."""
    if issubclass(model, Owned):
        columns = model.__table__.c
        foreign = (columns.id == row_id, columns.user_id != scope.user_id)
        if await scope.execute(select(columns.id).where(*foreign)):
            return Forbidden("This belongs to another user.")
    return NotFound(f"{model.__name__} not found.")
