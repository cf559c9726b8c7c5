"""Helpers that call the auth routes."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from app import API_PREFIX
from app.auth.settings import AuthSettings
from tests.support.identity import PASSWORD
from tests.support.probe import build_app

AUTH = f"{API_PREFIX}/auth"
EMAIL = "carol@example.com"


def auth_settings(**changes: Any) -> AuthSettings:
    """Return the default settings with changes."""
    return AuthSettings(**{"jwt_secret_key": "x" * 64, **changes})


def json_body(body: object) -> dict[str, Any]:
    """Return the arguments of a request with any JSON body, lone surrogates included."""
    return {"content": json.dumps(body), "headers": {"Content-Type": "application/json"}}


async def register(client: AsyncClient, email: str = EMAIL, password: str = PASSWORD) -> Response:
    """Send a registration."""
    return await client.post(
        f"{AUTH}/register", **json_body({"email": email, "password": password})
    )


async def log_in(client: AsyncClient, email: str = EMAIL, password: str = PASSWORD) -> Response:
    """Send a login."""
    return await client.post(f"{AUTH}/login", **json_body({"email": email, "password": password}))


async def new_session(client: AsyncClient, email: str = EMAIL) -> dict[str, Any]:
    """Return the tokens of a new session; the user is registered if necessary."""
    await register(client, email)
    response = await log_in(client, email)
    assert response.status_code == 200, response.text
    tokens: dict[str, Any] = response.json()
    return tokens


async def refresh(client: AsyncClient, refresh_token: str) -> Response:
    """Send a refresh token."""
    return await client.post(f"{AUTH}/refresh", **json_body({"refresh_token": refresh_token}))


def bearer(token: str) -> dict[str, str]:
    """Return the header with an access token."""
    return {"Authorization": f"Bearer {token}"}


async def me(client: AsyncClient, token: str) -> Response:
    """Request the current user."""
    return await client.get(f"{AUTH}/me", headers=bearer(token))


@asynccontextmanager
async def client_with_address(
    app: FastAPI, address: str = "192.0.2.1", **changes: Any
) -> AsyncIterator[AsyncClient]:
    """Yield a client with this IP address, of an app with changed settings on the same database."""
    other = build_app(app, **changes)
    transport = ASGITransport(other, client=(address, 1234))
    async with (
        other.router.lifespan_context(other),
        AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client
