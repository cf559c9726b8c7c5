"""Users of the tests' own, seen from the auth routes."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from app import API_PREFIX
from app.auth.settings import AuthSettings
from tests.support.identity import PASSWORD
from tests.support.probe import build

AUTH = f"{API_PREFIX}/auth"
EMAIL = "carol@example.com"


def auth_settings(**changes: Any) -> AuthSettings:
    """Return settings that differ from the defaults in this."""
    return AuthSettings(**{"jwt_secret_key": "x" * 64, **changes})


def json_body(body: object) -> dict[str, Any]:
    """Return what sends any body, lone surrogates included."""
    return {"content": json.dumps(body), "headers": {"Content-Type": "application/json"}}


async def register(client: AsyncClient, email: str = EMAIL, password: str = PASSWORD) -> Response:
    """Ask for a new user."""
    return await client.post(
        f"{AUTH}/register", **json_body({"email": email, "password": password})
    )


async def log_in(client: AsyncClient, email: str = EMAIL, password: str = PASSWORD) -> Response:
    """Ask for tokens."""
    return await client.post(f"{AUTH}/login", **json_body({"email": email, "password": password}))


async def new_session(client: AsyncClient, email: str = EMAIL) -> dict[str, Any]:
    """Return the tokens of a new session; the user is registered if need be."""
    await register(client, email)
    response = await log_in(client, email)
    assert response.status_code == 200, response.text
    tokens: dict[str, Any] = response.json()
    return tokens


async def refresh(client: AsyncClient, refresh_token: str) -> Response:
    """Ask for the next tokens."""
    return await client.post(f"{AUTH}/refresh", **json_body({"refresh_token": refresh_token}))


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries an access token."""
    return {"Authorization": f"Bearer {token}"}


async def me(client: AsyncClient, token: str) -> Response:
    """Ask who the bearer of a token is."""
    return await client.get(f"{AUTH}/me", headers=bearer(token))


@asynccontextmanager
async def client_of_other_app(
    app: FastAPI, address: str = "192.0.2.1", **changes: Any
) -> AsyncIterator[AsyncClient]:
    """Give a client of an app on the same database, with other settings; it has an address."""
    other = build(app, **changes)
    transport = ASGITransport(other, client=(address, 1234))
    async with (
        other.router.lifespan_context(other),
        AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client
