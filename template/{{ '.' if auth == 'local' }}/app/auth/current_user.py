"""The current user: dependencies that verify the access token of a request."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from app import API_PREFIX
from app.auth.bearer import InvalidTokenError, bearer_token, invalid_token
from app.auth.tokens import AccessToken, read_access_token
from app.models.user_row import UserId
from app.state import get_state


class CallerBearer(OAuth2PasswordBearer):
    """A dependency that verifies the access token of a request; it documents where to get one."""

    def __init__(self) -> None:
        # Relative, so that it also works behind a proxy that serves the API below a path.
        url = f"{API_PREFIX}/auth/token".lstrip("/")
        super().__init__(tokenUrl=url, scheme_name="OAuth2PasswordBearer")

    async def caller(self, request: Request) -> AccessToken:
        """Return the verified token. Its session may have ended: every scope checks that.

        Raises:
            Unauthorized: the token is missing or invalid.
            RateLimited: the user has sent too many requests.
        """
        state = get_state(request.app)
        try:
            token = read_access_token(state.settings, bearer_token(request))
        except InvalidTokenError as error:
            raise invalid_token(error.reason, error.hint) from error
        request.state.caller = token
        if state.request_limits is not None:
            await state.request_limits.count_user(request.scope, token.user_id)
        return token


class _TokenBearer(CallerBearer):
    """Returns the access token of a session that is open."""

    async def __call__(self, request: Request) -> AccessToken:  # type: ignore[override]
        token = await self.caller(request)
        await token.check(get_state(request.app).database.execute)
        return token


CurrentToken = Annotated[AccessToken, Depends(_TokenBearer())]


async def current_user(token: CurrentToken) -> UserId:
    """Return the id of the current user."""
    return token.user_id


CurrentUser = Annotated[UserId, Depends(current_user)]
