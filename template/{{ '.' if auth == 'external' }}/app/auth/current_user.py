"""Who is calling: the user whom the token of the request is about."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from app.auth.bearer import InvalidTokenError, bearer_token, invalid_token
from app.state import get_state


class _TokenBearer(HTTPBearer):
    """Reads the token; tells the documentation that there is one."""

    async def __call__(self, request: Request) -> str:  # type: ignore[override]
        return bearer_token(request)


_bearer = _TokenBearer(bearerFormat="JWT", scheme_name="HTTPBearer")


async def current_user(request: Request, token: Annotated[str, Depends(_bearer)]) -> str:
    """Return the id of the user who is calling.

    Raises:
        Unauthorized: there is no token, or it does not hold.
        ServiceUnavailable: the keys of the issuer are not at hand.
    """
    try:
        return await get_state(request.app).auth.token_verifier.user_id(token)
    except InvalidTokenError as error:
        raise invalid_token(error.reason, error.hint) from error


CurrentUser = Annotated[str, Depends(current_user)]
