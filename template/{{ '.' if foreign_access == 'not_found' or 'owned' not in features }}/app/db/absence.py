"""The error for a row that is not in scope."""

from typing import TYPE_CHECKING

from app.errors import ApiError, NotFound
from app.models.row import Id

if TYPE_CHECKING:
    from app.db.scope import Scope
    from app.db.statements import Model


async def absence(_scope: "Scope", model: "Model", _row_id: Id) -> ApiError:
    """Return NotFound, for a missing row and for the row of another user alike."""
    return NotFound(f"{model.__name__} not found.")
