"""The Location of a created row: one URI for all spellings of the request's path."""

import re
from typing import Any
from urllib.parse import quote, unquote

import pytest
from fastapi import Request

from app.http.location import location

# RFC 3986, section 3.3, without the characters that `location` always encodes.
PATH = re.compile(r"(/([A-Za-z0-9._~-]|%[0-9A-F]{2})*)+")


def located(path: str, sent: bytes | None, root: str = "") -> str:
    """Return the Location of row 7, created by a request to a path."""
    scope: dict[str, Any] = {"type": "http", "path": path, "root_path": root, "headers": []}
    if sent is not None:
        scope["raw_path"] = sent
    found = location(Request(scope), 7)
    assert PATH.fullmatch(found)
    return found


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"/api/notes", "/api/notes/7"),
        (b"/api/notes/", "/api/notes/7"),
        (b"/api/notes//", "/api/notes/7"),
        (b"/api/notes%2f", "/api/notes/7"),
        (b"/api/%e7%94%A8/notes", "/api/%E7%94%A8/notes/7"),
        (b"/api/a%2fb/notes", "/api/a%2Fb/notes/7"),
        (b"/api/a%252Fb/notes", "/api/a%252Fb/notes/7"),
        (b"/api/%2E%2e/notes", "/api/%2E%2E/notes/7"),
        (b"/api/./notes", "/api/%2E/notes/7"),
        (b"/api/a..b/notes", "/api/a..b/notes/7"),
        (b"/api/100%/notes", "/api/100%25/notes/7"),
        (b"/api/a+b;'%22\\/notes", "/api/a%2Bb%3B%27%22%5C/notes/7"),
        (b"/api/\xc3\xa9/notes", "/api/%C3%A9/notes/7"),
        (b"/api/%FF/notes", "/api/%EF%BF%BD/notes/7"),
        (b"/api/%0D%0ASet-Cookie:a/notes", "/api/%0D%0ASet-Cookie%3Aa/notes/7"),
    ],
)
def test_raw_path(sent: bytes, expected: str) -> None:
    assert located(unquote(sent), sent) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/notes", "/api/notes/7"),
        ("/api/a b?c#d/notes/", "/api/a%20b%3Fc%23d/notes/7"),
        ("/api/%2F/notes", "/api/%252F/notes/7"),
        ("/api/\ud800/notes", "/api/%3F/notes/7"),
    ],
)
def test_server_without_raw_path(path: str, expected: str) -> None:
    assert located(path, None) == expected


@pytest.mark.parametrize("root", ["/proxy", "/with space"])
def test_path_prefix(root: str) -> None:
    expected = quote(root) + "/api/%25/notes/7"
    assert located(f"{root}/api/%/notes", root.encode() + b"/api/%25/notes", root) == expected
    # Some servers omit it from the path.
    assert located("/api/%/notes", b"/api/%25/notes", root) == expected
    assert located("/api/%/notes", None, root) == expected
