"""Verification of the issuer's tokens (RFC 8725)."""

import re
import time
from typing import Any

import jwt

from app.auth.bearer import InvalidTokenError, explain
from app.auth.keys import ALGORITHMS, KeyCache
from app.auth.settings import AuthSettings

SHARED_SECRET_ALGORITHM = "HS256"
# For clocks that differ: applies to `nbf` and `iat`, not to `exp`.
LEEWAY_SECONDS = 30
TOKEN_TYPES = {"", "jwt", "at+jwt", "application/at+jwt"}
USER_ID = re.compile(r"(?=.*\S)[^\x00-\x1f\x7f\ud800-\udfff]{1,255}")


class TokenVerifier:
    """Verifies tokens with the public keys of the issuer, or with a shared secret."""

    def __init__(self, settings: AuthSettings) -> None:
        self._settings = settings
        self._keys = KeyCache(settings.jwks_url) if settings.jwks_url else None
        secret = settings.better_auth_secret
        self._secret = secret.get_secret_value() if secret else ""
        # What the settings require, for the log.
        self._expected = {
            "algorithm": f"not {SHARED_SECRET_ALGORITHM}, which BETTER_AUTH_SECRET requires"
            if secret
            else "not that of a key at JWKS_URL",
            "issuer": f"JWT_ISSUER is {settings.jwt_issuer!r}",
            "audience": f"JWT_AUDIENCE is {settings.jwt_audience!r}",
            "user_id": f"no id in the claim {settings.jwt_user_id_claim!r}",
        }

    async def close(self) -> None:
        """Stop fetching keys."""
        if self._keys is not None:
            await self._keys.close()

    async def user_id(self, token: str) -> str:
        """Verify a token, and return the id of its user.

        Raises:
            InvalidTokenError: the signature or a claim is invalid.
            ServiceUnavailable: the keys of the issuer cannot be fetched.
        """
        try:
            header = jwt.get_unverified_header(token)
            _check_header(header)
            claims = self._claims(token, *await self._key(header))
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise explain(error, self._expected) from error
        user_id = claims[self._settings.jwt_user_id_claim]
        # `sub` is a string (RFC 7519, section 4.1.2); other claims often contain a number.
        if type(user_id) is int and self._settings.jwt_user_id_claim != "sub":
            user_id = str(user_id)
        if not isinstance(user_id, str) or not USER_ID.fullmatch(user_id):
            raise InvalidTokenError("user_id", self._expected["user_id"])
        return user_id

    async def _key(self, header: dict[str, Any]) -> tuple[jwt.PyJWK | str, str]:
        """Return the key for a token, and its only algorithm."""
        if self._keys is None:
            return self._secret, SHARED_SECRET_ALGORITHM
        if header.get("alg") not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError
        key = await self._keys.get(header.get("kid"))
        if key is None and "kid" not in header:
            raise InvalidTokenError("no_key_id", "JWKS_URL has several keys")
        if key is None:
            raise InvalidTokenError("unknown_key", "not at JWKS_URL")
        return key, key.algorithm_name

    def _claims(self, token: str, key: jwt.PyJWK | str, algorithm: str) -> dict[str, Any]:
        settings = self._settings
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=settings.jwt_audience,
            issuer=settings.jwt_issuer,
            leeway=LEEWAY_SECONDS,
            options={
                "require": ["exp", settings.jwt_user_id_claim],
                "verify_aud": settings.jwt_audience is not None,
                # Not used, unless as the user's id, which is validated.
                "verify_sub": False,
                "verify_jti": False,
            },
        )
        if int(claims["exp"]) <= time.time():
            raise jwt.ExpiredSignatureError
        return claims


def _check_header(header: dict[str, Any]) -> None:
    """Reject other types of tokens, and the one extension that PyJWT accepts."""
    token_type = header.get("typ", "")
    if not isinstance(token_type, str) or token_type.lower() not in TOKEN_TYPES:
        raise InvalidTokenError("type", "only none, JWT and at+jwt are accepted")
    if "b64" in header:
        raise InvalidTokenError("header", "an extension")
