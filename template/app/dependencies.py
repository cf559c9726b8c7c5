"""Dependencies of the routers."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError

from app.auth.current_user import CurrentUser
from app.db.scope import Scope
from app.state import get_state


async def get_scope(request: Request, user_id: CurrentUser) -> Scope:
    """Return the scope of the current user."""
    return Scope(get_state(request.app).database, user_id)


ScopeDep = Annotated[Scope, Depends(get_scope)]


async def refuse_repeated_parameters(request: Request) -> None:
    """Reject query parameters that are sent more than once.

    Raises:
        RequestValidationError: for each of them.
    """
    sent = request.query_params.multi_items()
    if len(sent) == len(request.query_params):
        return
    names = [name for name, _ in sent]
    message = "This parameter is sent more than once"
    errors = [
        {"type": "repeated", "loc": ("query", name), "msg": message}
        for name in request.query_params
        if names.count(name) > 1
    ]
    raise RequestValidationError(errors)
