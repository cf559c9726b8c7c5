"""The app with changed settings, and with additional routes for the tests."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from app.factory import create_app
from app.state import get_state

ECHO = "/probe/echo"
FAIL = "/probe/fail"
FAIL_MIDWAY = "/probe/fail-midway"
BY_NUMBER = "/probe/{number}"
SECRET = "hunter2"


class Note(BaseModel):
    """A request body with one field."""

    text: str


async def echo(note: Note) -> Note:
    """Return the request body."""
    return note


async def remove(number: int) -> None:
    """Accept an integer in the path."""


async def fail() -> None:
    """Raise an unexpected exception."""
    raise RuntimeError(SECRET)


async def fail_midway() -> StreamingResponse:
    """Raise an exception after a part of the response was sent."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"first part"
        raise RuntimeError(SECRET)

    return StreamingResponse(parts())


def build_app(app: FastAPI, **changes: Any) -> FastAPI:
    """Build an app with changed settings and the additional routes; logging is not reconfigured."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    other = create_app(get_state(app).settings.model_copy(update=changes))
    root.handlers[:] = handlers
    root.setLevel(level)
    other.add_api_route(ECHO, echo, methods=["POST"])
    other.add_api_route(FAIL, fail)
    other.add_api_route(FAIL_MIDWAY, fail_midway)
    other.add_api_route(BY_NUMBER, remove, methods=["DELETE"])
    return other


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """Start an app, and yield a client of it."""
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


@asynccontextmanager
async def open_client(app: FastAPI, **changes: Any) -> AsyncIterator[AsyncClient]:
    """Yield a client of an app with changed settings and the additional routes."""
    async with client_of(build_app(app, **changes)) as client:
        yield client


async def websocket(app: FastAPI, host: str) -> list[dict[str, Any]]:
    """Open a WebSocket at an unknown path; return the messages of the app."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    scope: dict[str, Any] = {
        "type": "websocket",
        "path": "/nowhere/",
        "headers": [(b"host", host.encode())],
        "query_string": b"",
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}},
    }
    await app(scope, receive, send)
    return sent
