"""The current user: dependencies that verify the access token of a request."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer
from starlette.requests import HTTPConnection

from app import API_PREFIX
from app.auth.bearer import InvalidTokenError, bearer_token, invalid_token
from app.auth.sessions import is_open
from app.auth.tokens import AccessToken, read_access_token
from app.models.row import Id
from app.state import get_state


class _AccessTokenBearer(OAuth2PasswordBearer):
    """Returns the token; documents where clients get one."""

    async def __call__(self, request: HTTPConnection) -> str:
        return bearer_token(request)


# Relative, so that it also works behind a proxy that serves the API below a path.
_bearer = _AccessTokenBearer(
    tokenUrl=f"{API_PREFIX}/auth/token".lstrip("/"), scheme_name="OAuth2PasswordBearer"
)


async def current_token(request: Request, text: Annotated[str, Depends(_bearer)]) -> AccessToken:
    """Return the verified access token.

    Raises:
        Unauthorized: it is missing or invalid, or its session has ended.
    """
    state = get_state(request.app)
    try:
        token = read_access_token(state.settings, text)
    except InvalidTokenError as error:
        raise invalid_token(error.reason, error.hint) from error
    if not await is_open(state.database, token):
        raise invalid_token("session_ended")
    return token


CurrentToken = Annotated[AccessToken, Depends(current_token)]


async def current_user(token: CurrentToken) -> Id:
    """Return the id of the current user."""
    return token.user_id


CurrentUser = Annotated[Id, Depends(current_user)]
