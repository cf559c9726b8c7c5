"""The access token of a request: read from the Authorization header and from nowhere else.

Refusals carry the challenges of RFC 6750, section 3: plain where no token came, `invalid_token`
where a bad one did. Why a token is refused is for the log alone, and the log has nothing that came
with the token: its claims may be about people, and may be made up.
"""

import logging
from collections.abc import Mapping

import jwt
from starlette.requests import HTTPConnection

from app.errors import Unauthorized

MAX_TOKEN_LENGTH = 8 * 1024
BY_CLOCK = "by the clock of this server"

logger = logging.getLogger("app.auth")

# The library raises exactly these classes; what is not listed is about the form of the token.
_REASONS: dict[type[Exception], tuple[str, str]] = {
    jwt.InvalidTokenError: ("header", "an extension, or a kid that is not text"),
    jwt.InvalidAlgorithmError: ("algorithm", ""),
    jwt.InvalidSignatureError: ("signature", "not made with the key"),
    jwt.MissingRequiredClaimError: ("missing_claim", ""),
    jwt.InvalidIssuerError: ("issuer", ""),
    jwt.InvalidAudienceError: ("audience", ""),
    jwt.ExpiredSignatureError: ("expired", BY_CLOCK),
    jwt.ImmatureSignatureError: ("not_yet_valid", BY_CLOCK),
}


class InvalidTokenError(Exception):
    """A token that does not hold.

    The reason is one of a fixed list, see docs/authentication.md. The hint may name settings, and
    nothing that came with the token.
    """

    def __init__(self, reason: str, hint: str = "") -> None:
        self.reason = reason
        self.hint = hint


def explain(error: Exception, hints: Mapping[str, str] | None = None) -> InvalidTokenError:
    """Return the reason of an error that the library raised, with the hint that belongs to it."""
    reason, hint = _REASONS.get(type(error), ("malformed", ""))
    if isinstance(error, jwt.MissingRequiredClaimError):
        hint = error.claim
    elif isinstance(error, jwt.ImmatureSignatureError) and "(iat)" in str(error):
        reason = "issued_in_future"
    return InvalidTokenError(reason, (hints or {}).get(reason, hint))


def _log_refusal(reason: str, hint: str = "") -> None:
    text = f"{reason} ({hint})" if hint else reason
    logger.info("token refused: %s", text, extra={"reason": reason})


def invalid_token(
    reason: str, hint: str = "", detail: str = "The token is not valid or has expired"
) -> Unauthorized:
    """Log why a token is refused, and return the answer, which does not say so.

    The detail is a fixed text, never the client's.
    """
    _log_refusal(reason, hint)
    challenge = f'Bearer error="invalid_token", error_description="{detail}"'
    return Unauthorized(f"{detail}.", challenge=challenge)


def bearer_token(connection: HTTPConnection) -> str:
    """Return the token that came with a request, unread.

    Raises:
        Unauthorized: there is none, there are two, or it is too long to be one of ours.
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
