"""Tokens for the users of the tests: they register and log in."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from httpx import AsyncClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import SecretStr

from app import API_PREFIX
from app.settings import Settings

PASSWORD = "correct horse battery staple"


@contextmanager
def settings_for_tests(database_url: str) -> Iterator[Settings]:
    """Yield settings that ignore the environment; a cheap hasher is used meanwhile."""
    cheap = PasswordHash((Argon2Hasher(memory_cost=8, time_cost=1, parallelism=1),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.auth.passwords.HASHER", cheap)
        yield Settings(
            _env_file=None,
            environment="test",
            database_url=database_url,
            jwt_secret_key=SecretStr(secrets.token_hex(32)),
            rate_limit_storage_url="memory://",
            rate_limit_requests=None,
            rate_limit_login="100000/minute",
            rate_limit_register="100000/minute",
        )


async def get_token(client: AsyncClient, name: str) -> tuple[str, str]:
    """Register a user; return an access token and the user's id."""
    credentials = {"email": f"{name}@example.com", "password": PASSWORD}
    user = await client.post(f"{API_PREFIX}/auth/register", json=credentials)
    assert user.status_code == 201, user.text
    tokens = await client.post(f"{API_PREFIX}/auth/login", json=credentials)
    assert tokens.status_code == 200, tokens.text
    return tokens.json()["access_token"], str(user.json()["id"])
