"""An app with its own settings, and a route that returns the current user."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from app.auth.current_user import CurrentUser
from tests.support.probe import build

WHO = "/probe/who"


async def who(user_id: CurrentUser) -> str:
    """Return the current user."""
    return user_id


@asynccontextmanager
async def who_app(app: FastAPI, **changes: Any) -> AsyncIterator[AsyncClient]:
    """Return a client of an app that returns the current user."""
    other = build(app, **changes)
    other.add_api_route(WHO, who)
    transport = ASGITransport(other)
    async with (
        other.router.lifespan_context(other),
        AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


async def ask(client: AsyncClient, token: str) -> Response:
    """Ask who the bearer of a token is."""
    return await client.get(WHO, headers={"Authorization": f"Bearer {token}"})


async def is_refused(client: AsyncClient, token: str) -> bool:
    """Tell whether a token is refused, in the way of RFC 6750."""
    answer = await ask(client, token)
    if answer.status_code == 200:
        return False
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token", ')
    return True
