"""Routes that name their user: they are for this user alone."""

from app.auth.current_user import CurrentUser
from app.errors import Forbidden


async def require_own_path(user_id: str, caller: CurrentUser) -> None:
    """Compare the user of the path with the caller, as text.

    It guards a router: whoever has no token is refused before (401), and ids and bodies are looked at
    behind it. Queries take the caller's id, never the path's.

    Raises:
        Forbidden: the path names somebody else.
    """
    if user_id != str(caller):
        raise Forbidden
