"""Routes with the user's id in the path, for that user only."""

from typing import Annotated

from fastapi import Depends, Path, Request

from app.auth.current_user import CallerBearer
from app.db.scope import Scope
from app.errors import Forbidden
from app.state import get_state


class _OwnScopeBearer(CallerBearer):
    """Returns the scope of the current user, whose id must be the one in the path.

    The ids are compared as strings, after authentication (401), and before other parameters and the
    body are validated. Queries use the current user's id, never the path's.
    """

    async def __call__(  # type: ignore[override]
        self, request: Request, user_id: Annotated[str, Path(description="Id of the current user.")]
    ) -> Scope:
        caller = await self.caller(request)
        database = get_state(request.app).database
        if user_id != str(caller.user_id):
            await caller.check(database.execute)
            raise Forbidden("This belongs to another user.")
        return Scope(database, caller)


own_scope = Depends(_OwnScopeBearer())
OwnScopeDep = Annotated[Scope, own_scope]
