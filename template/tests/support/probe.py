"""The app with other settings, and with routes that only the tests have."""

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
BREAK_OFF = "/probe/break-off"
BY_NUMBER = "/probe/{number}"
SECRET = "hunter2"


class Note(BaseModel):
    """A body with one field."""

    text: str


async def echo(note: Note) -> Note:
    """Answer what was sent."""
    return note


async def remove(number: int) -> None:
    """Take a number from the path."""


async def fail() -> None:
    """Run into what nobody expected."""
    raise RuntimeError(SECRET)


async def break_off() -> StreamingResponse:
    """Fail when a part of the answer is on its way."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"begun"
        raise RuntimeError(SECRET)

    return StreamingResponse(parts())


def build(app: FastAPI, **changes: Any) -> FastAPI:
    """Build an app like the given one, with changed settings; logging stays as it is."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    other = create_app(get_state(app).settings.model_copy(update=changes))
    root.handlers[:] = handlers
    root.setLevel(level)
    other.add_api_route(ECHO, echo, methods=["POST"])
    other.add_api_route(FAIL, fail)
    other.add_api_route(BREAK_OFF, break_off)
    other.add_api_route(BY_NUMBER, remove, methods=["DELETE"])
    return other


@asynccontextmanager
async def probe(app: FastAPI, **changes: Any) -> AsyncIterator[AsyncClient]:
    """Give a client of such an app."""
    other = build(app, **changes)
    transport = ASGITransport(other, raise_app_exceptions=False)
    async with (
        other.router.lifespan_context(other),
        AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client
