"""Dependencies of the routers."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from pydantic import BaseModel

from app.auth.current_user import CallerBearer
from app.db.preconditions import ConditionalScope
from app.db.scope import Scope
from app.errors import PreconditionFailed
from app.http.etags import IF_MATCH, is_expected
from app.models.row import Id
from app.state import get_state


class _ScopeBearer(CallerBearer):
    """Returns the scope of the current user."""

    async def __call__(self, request: Request) -> Scope:  # type: ignore[override]
        return Scope(get_state(request.app).database, await self.caller(request))


current_scope = Depends(_ScopeBearer())
ScopeDep = Annotated[Scope, current_scope]


def unchanged(
    scope: Scope,
    request: Request,
    get: Callable[[Scope, Id], Awaitable[BaseModel]],
    row_id: Id,
) -> Scope:
    """Return a scope in which every operation requires that a row is one that `If-Match` names.

    The operation and the check are one transaction, in which the row is locked. If the row is
    another, the operation raises `PreconditionFailed`.
    """
    if IF_MATCH not in request.headers:
        return scope
    if_match = ", ".join(request.headers.getlist(IF_MATCH))

    async def check(inner: Scope) -> None:
        if not is_expected(await get(inner, row_id), if_match):
            raise PreconditionFailed

    return ConditionalScope(scope.database, scope.caller, check=check)
