"""An app with changed settings, and an additional route that returns the current user."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from httpx import ASGITransport, AsyncClient, Response

from app.auth.current_user import CallerBearer
from tests.support.probe import build_app

WHOAMI = "/probe/whoami"


async def whoami(request: Request) -> str:
    """Return the current user."""
    return (await CallerBearer().caller(request)).user_id


@asynccontextmanager
async def whoami_client(app: FastAPI, **changes: Any) -> AsyncIterator[AsyncClient]:
    """Yield a client of an app that has this route."""
    other = build_app(app, **changes)
    other.add_api_route(WHOAMI, whoami)
    transport = ASGITransport(other)
    async with (
        other.router.lifespan_context(other),
        AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


async def get_whoami(client: AsyncClient, token: str) -> Response:
    """Request the current user with a token."""
    return await client.get(WHOAMI, headers={"Authorization": f"Bearer {token}"})


async def is_refused(client: AsyncClient, token: str) -> bool:
    """Return whether a token is refused; the response must be that of RFC 6750."""
    response = await get_whoami(client, token)
    if response.status_code == 200:
        return False
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token", ')
    return True
