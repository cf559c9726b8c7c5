"""User ids with a slash in the path: a slash that is sent as `%2F` does not separate segments.

Servers decode the path before the app receives it, and the router would split such an id. So slashes
in the id stay encoded until a route is found, and percent signs too, so that each id has one form.
"""

import logging
from urllib.parse import unquote

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.types import ASGIApp, Receive, Scope, Send

from app import API_PREFIX

logger = logging.getLogger(__name__)


def _encode(segment: str) -> str:
    return segment.replace("%", "%25").replace("/", "%2F")


class SegmentConvertor(StringConvertor):
    """The convertor of `{user_id:segment}`."""

    def convert(self, value: str) -> str:
        """Decode a segment."""
        return value.replace("%2F", "/").replace("%25", "%")

    def to_string(self, value: str) -> str:
        """Encode a segment."""
        return _encode(value)


register_url_convertor("segment", SegmentConvertor())


def _segments(scope: Scope) -> list[str]:
    """Split the path as the client sent it, and decode its segments."""
    path: str = scope["path"]
    sent: bytes = scope.get("raw_path") or b""
    # They differ if another middleware has changed the path.
    if unquote(sent).rstrip("/") == path.rstrip("/"):
        return [unquote(segment) for segment in sent.rstrip(b"/").split(b"/")]
    return path.split("/")


class PathSegments:
    """Middleware that encodes the user's id in the path of the API for the router."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            sent = scope.get("raw_path")
            if sent is None:
                self._warn()
            if sent is None or b"%" in sent:
                scope = {**scope, "path": self._routed(scope)}
        await self.app(scope, receive, send)

    def _routed(self, scope: Scope) -> str:
        """Return the path for the router."""
        path: str = scope["path"]
        root: str = scope.get("root_path", "")
        before = (root if path.startswith(root) else "") + API_PREFIX
        position = before.count("/") + 1
        segments = _segments(scope)
        if len(segments) <= position or "/".join(segments[:position]) != before:
            return path
        segments[position] = _encode(segments[position])
        return "/".join(segments)

    def _warn(self) -> None:
        if not self.warned:
            self.warned = True
            logger.warning(
                "the server does not provide raw_path: ids with a slash are not found (404)"
            )
