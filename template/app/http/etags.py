"""Entity tags of rows: conditional requests (RFC 9110, section 13).

The tag of a row is a hash of its response body, so it changes with everything that clients can see.
"""

import hashlib
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.schemas.base import ReadSchema

TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
TAG_BYTES = 16
IF_MATCH = "If-Match"
IF_NONE_MATCH = "If-None-Match"


def etag_of(body: bytes) -> str:
    """Return the strong entity tag of a response body."""
    return f'"{hashlib.blake2b(body, digest_size=TAG_BYTES).hexdigest()}"'


def _matches(sent: str, tag: str, *, weakly: bool) -> bool:
    """Compare a tag with those of a header; a weak one equals no other in a strong comparison."""
    if sent.strip() == "*":
        return True
    return any(tag == opaque and (weakly or not weak) for weak, opaque in TAG.findall(sent))


def is_expected(row: BaseModel, if_match: str) -> bool:
    """Return whether a row is one that `If-Match` names."""
    body = row.model_dump_json(by_alias=True)
    return _matches(if_match, etag_of(body.encode()), weakly=False)


def returns_row(response_model: object) -> bool:
    """Return whether the responses of a route are rows."""
    return (
        isinstance(response_model, type)
        and issubclass(response_model, ReadSchema)
        and "id" in response_model.model_fields
    )


class RowRoute(APIRoute):
    """A route that adds the entity tag of a row, and does not send a row that the client has."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route; routes that return no row need no other one."""
        handle = super().get_route_handler()
        if not returns_row(self.response_model):
            return handle

        async def handle_row(request: Request) -> Response:
            response = await handle(request)
            tag = etag_of(bytes(response.body))
            sent = request.headers.get(IF_NONE_MATCH)
            if sent and request.method == "GET" and _matches(sent, tag, weakly=True):
                response = Response(status_code=304)
            response.headers.append("ETag", tag)
            return response

        return handle_row
