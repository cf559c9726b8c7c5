"""What routers ask for."""

from typing import Annotated, cast

from fastapi import Depends, Request

from app.auth import CurrentUser
from app.database import Database
from app.scope import Scope


def get_scope(request: Request, user_id: CurrentUser) -> Scope:
    """Return the scope of the user who sent the request."""
    return Scope(cast("Database", request.app.state.database), user_id)


ScopeDep = Annotated[Scope, Depends(get_scope)]
