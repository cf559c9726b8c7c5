"""The current user: dependencies that verify the token of a request."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from app.auth.bearer import InvalidTokenError, bearer_token, invalid_token
from app.state import get_state


class _TokenBearer(HTTPBearer):
    """Returns the token; documents that one is required."""

    async def __call__(self, request: Request) -> str:  # type: ignore[override]
        return bearer_token(request)


_bearer = _TokenBearer(bearerFormat="JWT", scheme_name="HTTPBearer")


async def current_user(request: Request, token: Annotated[str, Depends(_bearer)]) -> str:
    """Return the id of the current user.

    Raises:
        Unauthorized: the token is missing or invalid.
        ServiceUnavailable: the keys of the issuer cannot be fetched.
    """
    try:
        return await get_state(request.app).auth.token_verifier.user_id(token)
    except InvalidTokenError as error:
        raise invalid_token(error.reason, error.hint) from error


CurrentUser = Annotated[str, Depends(current_user)]
