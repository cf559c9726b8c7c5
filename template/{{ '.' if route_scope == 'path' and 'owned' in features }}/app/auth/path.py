"""Routes with the user's id in the path, for that user only."""

from typing import Annotated

from fastapi import Path

from app.auth.current_user import CurrentUser
from app.errors import Forbidden


async def require_own_path(
    user_id: Annotated[str, Path(description="Id of the current user.")], current_user: CurrentUser
) -> None:
    """Compare the id in the path with the current user's, as strings.

    A dependency of the router: it runs after authentication (401), and before other parameters and
    the body are validated. Queries use the current user's id, never the path's.

    Raises:
        Forbidden: the path has the id of another user.
    """
    if user_id != str(current_user):
        raise Forbidden("This belongs to another user.")
