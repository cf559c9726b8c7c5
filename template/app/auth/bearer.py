"""The bearer token of a request, from the Authorization header only.

Rejections have the challenges of RFC 6750, section 3: plain without a token, `invalid_token` with an
invalid one. Only the log says why a token is rejected, and it has no data from the token: claims may
be personal or forged.
"""

import logging
from collections.abc import Mapping

import jwt
from starlette.requests import HTTPConnection

from app.errors import Unauthorized

MAX_TOKEN_LENGTH = 8 * 1024
BY_CLOCK = "by the clock of this server"

logger = logging.getLogger("app.auth")

# PyJWT raises exactly these classes; others mean that the token is malformed.
_REASONS: dict[type[Exception], tuple[str, str]] = {
    jwt.InvalidTokenError: ("header", "an extension, or a kid that is not a string"),
    jwt.InvalidAlgorithmError: ("algorithm", ""),
    jwt.InvalidSignatureError: ("signature", "not made with the key"),
    jwt.MissingRequiredClaimError: ("missing_claim", ""),
    jwt.InvalidIssuerError: ("issuer", ""),
    jwt.InvalidAudienceError: ("audience", ""),
    jwt.ExpiredSignatureError: ("expired", BY_CLOCK),
    jwt.ImmatureSignatureError: ("not_yet_valid", BY_CLOCK),
}


class InvalidTokenError(Exception):
    """A token is invalid.

    The reasons are listed in docs/authentication.md. The hint may name settings, but has no data from
    the token.
    """

    def __init__(self, reason: str, hint: str = "") -> None:
        self.reason = reason
        self.hint = hint


def explain(error: Exception, hints: Mapping[str, str] | None = None) -> InvalidTokenError:
    """Convert an error of PyJWT, with the hint for its reason."""
    reason, hint = _REASONS.get(type(error), ("malformed", ""))
    if isinstance(error, jwt.MissingRequiredClaimError):
        hint = error.claim
    elif isinstance(error, jwt.ImmatureSignatureError) and "(iat)" in str(error):
        reason = "issued_in_future"
    return InvalidTokenError(reason, (hints or {}).get(reason, hint))


def _log_refusal(reason: str, hint: str = "") -> None:
    text = f"{reason} ({hint})" if hint else reason
    logger.info("token rejected: %s", text, extra={"reason": reason})


def invalid_token(
    reason: str, hint: str = "", detail: str = "The token is not valid or has expired"
) -> Unauthorized:
    """Log why a token is rejected, and return the error, which does not say why.

    The detail is part of a header: never use text from the client.
    """
    _log_refusal(reason, hint)
    challenge = f'Bearer error="invalid_token", error_description="{detail}"'
    return Unauthorized(f"{detail}.", challenge=challenge)


def bearer_token(connection: HTTPConnection) -> str:
    """Return the token of a request, without validating it.

    Raises:
        Unauthorized: there is none, it is too long, or there is more than one header.
    """
    credentials = connection.headers.getlist("authorization")
    if len(credentials) > 1:
        detail = "There is more than one Authorization header"
        raise invalid_token("several_headers", detail=detail)
    scheme, _, token = "".join(credentials).partition(" ")
    if scheme.lower() != "bearer":
        if credentials:
            _log_refusal("scheme", "not Bearer")
        else:
            _log_refusal("missing", "no Authorization header")
        raise Unauthorized
    if len(token) > MAX_TOKEN_LENGTH:
        hint = f"more than {MAX_TOKEN_LENGTH} characters"
        raise invalid_token("too_long", hint, "The token is too long")
    return token.strip(" ")
