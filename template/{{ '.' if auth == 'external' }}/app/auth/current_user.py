"""The current user: verification of the token of a request."""

from dataclasses import dataclass

from fastapi import Request
from fastapi.security import HTTPBearer

from app.auth.bearer import InvalidTokenError, bearer_token, invalid_token
from app.db.caller import Execute
from app.db.database import Values
from app.state import get_state


@dataclass(frozen=True, slots=True)
class TokenUser:
    """The user of a token, on whose behalf rows are accessed."""

    user_id: str

    @property
    def parameters(self) -> Values:
        """Return the values of the parameters in `app/models/owned.py`."""
        return {"_user_id": self.user_id}

    async def check(self, _execute: Execute) -> None:
        """Do nothing: the token alone says until when it is valid."""


class CallerBearer(HTTPBearer):
    """A dependency that verifies the token of a request; it documents that one is required."""

    def __init__(self) -> None:
        super().__init__(bearerFormat="JWT", scheme_name="HTTPBearer")

    async def caller(self, request: Request) -> TokenUser:
        """Return the user of the token.

        Raises:
            Unauthorized: the token is missing or invalid.
            ServiceUnavailable: the keys of the issuer cannot be fetched.
            RateLimited: the user has sent too many requests.
        """
        state = get_state(request.app)
        token = bearer_token(request)
        try:
            user_id = await state.auth.token_verifier.user_id(token)
        except InvalidTokenError as error:
            raise invalid_token(error.reason, error.hint) from error
        request.state.caller = caller = TokenUser(user_id)
        if state.request_limits is not None:
            await state.request_limits.count_user(request.scope, user_id)
        return caller
