"""Access tokens: JWTs that this API issues and verifies (RFC 9068, RFC 8725)."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar
from uuid import uuid4

import jwt
from pydantic import TypeAdapter
from sqlalchemy import Select, literal, select

from app import SLUG
from app.auth.bearer import BY_CLOCK, InvalidTokenError, explain, invalid_token
from app.auth.settings import AuthSettings
from app.db.caller import Execute
from app.db.database import Values
from app.db.prepared import built_once
from app.models.owned import CALLER_CONDITIONS
from app.models.row import Id
from app.models.user_row import UserId
from app.schemas.types import ids, user_ids

TOKEN_TYPE = "at+jwt"
HEADER = {"alg", "typ"}
# Those that were used last; each takes about 1 kB.
VERIFIED_TOKENS = 1024
# PyJWT requires `iss` and `aud` because it compares them.
OPTIONS: Any = {"require": ["sub", "iat", "exp", "jti", "sid"], "strict_aud": True}

_user_id: TypeAdapter[UserId] = TypeAdapter(user_ids.UserId)
_session_id: TypeAdapter[Id] = TypeAdapter(ids.Id)

T = TypeVar("T")


@built_once
def _select_session() -> Select[Any]:
    return select(literal(1).label("is_open")).where(*CALLER_CONDITIONS)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """The user and the session of an access token, on whose behalf rows are accessed."""

    user_id: UserId
    session_id: Id

    @property
    def parameters(self) -> Values:
        """Return the values of the parameters in `app/models/owned.py`."""
        return {"_user_id": self.user_id, "_session_id": self.session_id}

    async def check(self, execute: Execute) -> None:
        """Check that the session is open.

        Raises:
            Unauthorized: it has ended.
        """
        if not await execute(_select_session(), self.parameters):
            raise invalid_token("session_ended")


def expires_in(settings: AuthSettings) -> int:
    """Return the lifetime of an access token in seconds."""
    return settings.access_token_expire_minutes * 60


def create_access_token(settings: AuthSettings, token: AccessToken) -> str:
    """Create and sign an access token."""
    now = datetime.now(UTC)
    claims = {
        "iss": SLUG,
        "aud": SLUG,
        "sub": str(token.user_id),
        "iat": now,
        "exp": now + timedelta(seconds=expires_in(settings)),
        "jti": uuid4().hex,
        "sid": str(token.session_id),
    }
    secret = settings.jwt_secret_key.get_secret_value()
    return jwt.encode(claims, secret, settings.jwt_algorithm, headers={"typ": TOKEN_TYPE})


def read_access_token(settings: AuthSettings, text: str) -> AccessToken:
    """Verify an access token.

    Raises:
        InvalidTokenError: the signature or a claim is invalid, or the token has expired.
    """
    secret = settings.jwt_secret_key.get_secret_value()
    token, expires_at = _verify(text, secret, settings.jwt_algorithm)
    if expires_at <= time.time():
        raise InvalidTokenError("expired", BY_CLOCK)
    return token


# A client sends the same token many times. Whether its session is open is not kept.
@lru_cache(VERIFIED_TOKENS)
def _verify(text: str, secret: str, algorithm: str) -> tuple[AccessToken, int]:
    """Verify an access token, and return it with the time at which it expires."""
    try:
        decoded = jwt.decode_complete(
            text,
            secret,
            algorithms=[algorithm],
            audience=SLUG,
            issuer=SLUG,
            options=OPTIONS,
        )
    except jwt.PyJWTError as error:
        raise explain(error) from error
    header = decoded["header"]
    # Only what this API issues: no other type of token, no key in the header, no extension.
    if header.get("typ") != TOKEN_TYPE:
        raise InvalidTokenError("type", f"not {TOKEN_TYPE}")
    if header.keys() != HEADER:
        raise InvalidTokenError("header", "a parameter that is not issued here")
    claims = decoded["payload"]
    user_id = _read_id(_user_id, claims["sub"], "user_id", "sub")
    session_id = _read_id(_session_id, claims["sid"], "session_id", "sid")
    return AccessToken(user_id=user_id, session_id=session_id), int(claims["exp"])


def _read_id(adapter: TypeAdapter[T], text: object, reason: str, claim: str) -> T:
    """Read an id from a claim; only its canonical form is valid."""
    try:
        value = adapter.validate_python(text)
    except ValueError as error:
        raise InvalidTokenError(reason, f"no id in {claim}") from error
    if str(value) != text:
        raise InvalidTokenError(reason, f"no id in {claim}")
    return value
