"""Where a row is: the URI that the response to its creation names."""

import re
from urllib.parse import quote, unquote

from fastapi import Request

TRAILING_SLASHES = re.compile(rb"(/|%2f)+$", re.IGNORECASE)


def _segment(sent: bytes) -> str:
    """Encode one segment of a path, whichever way the client encoded it."""
    encoded = quote(unquote(sent), safe="", errors="replace")
    # These two would be resolved as relative references (RFC 3986, section 5.2.4).
    return encoded.replace(".", "%2E") if encoded in {".", ".."} else encoded


def location(request: Request, row_id: object) -> str:
    """Return the URI of a row that was created at the path of a request.

    It is made from the path as it was sent: once decoded, a slash within a segment looks like one
    between two.
    """
    scope = request.scope
    sent: bytes = scope.get("raw_path") or quote(scope["path"], errors="replace").encode()
    root: str = scope.get("root_path", "")
    if not unquote(sent).startswith(root):
        sent = quote(root).encode() + sent
    segments = TRAILING_SLASHES.sub(b"", sent).split(b"/")
    return "/".join([*map(_segment, segments), str(row_id)])
