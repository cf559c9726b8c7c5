"""The Location header of a response to a created row."""

import re
from typing import Any
from urllib.parse import quote, unquote

from fastapi import Request

# The OpenAPI documentation of the header, for `responses` of a route.
CREATED: dict[int | str, dict[str, Any]] = {
    201: {
        "headers": {
            "Location": {
                "description": "Path of the created row.",
                "schema": {"type": "string", "format": "uri-reference"},
            }
        }
    }
}

TRAILING_SLASHES = re.compile(rb"(/|%2f)+$", re.IGNORECASE)


def _segment(sent: bytes) -> str:
    """Encode a segment of a path, however the client encoded it."""
    encoded = quote(unquote(sent), safe="", errors="replace")
    # Clients remove these two from paths (RFC 3986, section 5.2.4).
    return encoded.replace(".", "%2E") if encoded in {".", ".."} else encoded


def location(request: Request, row_id: object) -> str:
    """Return the URI of a row that was created by a request.

    It is based on the encoded path: in the decoded one, a slash in a segment looks like a separator.
    """
    scope = request.scope
    sent: bytes = scope.get("raw_path") or quote(scope["path"], errors="replace").encode()
    root: str = scope.get("root_path", "")
    if not unquote(sent).startswith(root):
        sent = quote(root).encode() + sent
    segments = TRAILING_SLASHES.sub(b"", sent).split(b"/")
    return "/".join([*map(_segment, segments), str(row_id)])
