"""Requests that are executed once: `Idempotency-Key`, as in draft-ietf-httpapi-idempotency-key-header.

A client that does not know whether its request arrived sends it again with the same key, and gets the
response to the first one.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar, cast

from fastapi import Depends, Header, Request, Response
from pydantic.config import JsonDict
from pydantic_core import to_json

from app.db.idempotency import find_response, reserved, store_response
from app.db.scope import Scope
from app.errors import ValidationFailed
from app.http.etags import etag_of
from app.http.location import location
from app.models.idempotency_key import MAX_KEY_LENGTH

IDEMPOTENCY_KEY = "Idempotency-Key"


def _without_null(schema: JsonDict) -> None:
    """Document a header that is sent or not, and never null."""
    [text, _null] = cast("list[JsonDict]", schema.pop("anyOf"))
    schema.update(text)


IdempotencyKey = Annotated[
    str | None,
    Header(
        alias=IDEMPOTENCY_KEY,
        max_length=MAX_KEY_LENGTH,
        pattern="^[!-~]+$",
        description="A unique string of the client, such as a UUID. A request that is sent again with "
        "the same key within 24 hours gets the same response, and creates nothing.",
        json_schema_extra=_without_null,
    ),
]

DataT = TypeVar("DataT")
ResultT = TypeVar("ResultT")


class Replay(Exception):
    """Ends a request with the response to an earlier one."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.body = body


async def replay(request: Request, error: Replay) -> Response:
    """Return the response to the earlier request."""
    content = error.body.encode()
    headers = {}
    created = json.loads(content)
    if isinstance(created, dict):
        headers = {"Location": location(request, created["id"]), "ETag": etag_of(content)}
    return Response(content, status_code=201, headers=headers, media_type="application/json")


@dataclass(frozen=True, slots=True)
class Once:
    """Executes an operation once for each key of a user."""

    request: Request
    key: str | None

    async def __call__(
        self,
        scope: Scope,
        operation: Callable[[Scope, DataT], Awaitable[ResultT]],
        data: DataT,
    ) -> ResultT:
        """Execute an operation, and store its result with the key, in one transaction.

        An operation that fails stores nothing: its request can be sent again with the same key.

        Raises:
            Replay: the request was sent before.
            Conflict: it is being processed.
            ValidationFailed: the key was sent with another request.
        """
        if self.key is None:
            return await operation(scope, data)
        request_hash = await self._hash()
        async with reserved(scope, self.key) as inner:
            stored = await find_response(inner, self.key)
            if stored is None:
                result = await operation(inner, data)
                await store_response(inner, self.key, request_hash, to_json(result).decode())
                return result
            if stored["request_hash"] != request_hash:
                message = "Was used for another request."
                raise ValidationFailed(errors={IDEMPOTENCY_KEY: message})
            raise Replay(stored["response_body"])

    async def _hash(self) -> str:
        """Return a hash of the request."""
        sent = [self.request.method.encode(), self.request.url.path.encode()]
        return hashlib.sha256(b"\n".join([*sent, await self.request.body()])).hexdigest()


async def _once(request: Request, idempotency_key: IdempotencyKey = None) -> Once:
    return Once(request, idempotency_key)


OnceDep = Annotated[Once, Depends(_once)]
