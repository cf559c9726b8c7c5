"""Dependencies of the routers."""

from typing import Annotated

from fastapi import Depends, Request

from app.auth.current_user import CallerBearer
from app.db.scope import Scope
from app.state import get_state


class _ScopeBearer(CallerBearer):
    """Returns the scope of the current user."""

    async def __call__(self, request: Request) -> Scope:  # type: ignore[override]
        return Scope(get_state(request.app).database, await self.caller(request))


current_scope = Depends(_ScopeBearer())
ScopeDep = Annotated[Scope, current_scope]
