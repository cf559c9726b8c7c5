"""The access token of a request: read from the Authorization header and from nowhere else.

Refusals carry the challenges of RFC 6750, section 3: plain where no token came, with a reason
where a bad one did.
"""

from starlette.requests import HTTPConnection

from app.errors import Unauthorized

MAX_TOKEN_LENGTH = 8 * 1024


def invalid_token(reason: str) -> Unauthorized:
    """Return the refusal of a token; the reason is a fixed text, never the client's."""
    challenge = f'Bearer error="invalid_token", error_description="{reason}"'
    return Unauthorized(f"{reason}.", challenge=challenge)


def bearer_token(connection: HTTPConnection) -> str:
    """Return the token that came with a request, unread.

    Raises:
        Unauthorized: there is none, there are two, or it is too long to be one of ours.
    """
    credentials = connection.headers.getlist("authorization")
    if len(credentials) > 1:
        raise invalid_token("There is more than one Authorization header")
    scheme, _, token = "".join(credentials).partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized
    if len(token) > MAX_TOKEN_LENGTH:
        raise invalid_token("The token is too long")
    return token.strip(" ")
