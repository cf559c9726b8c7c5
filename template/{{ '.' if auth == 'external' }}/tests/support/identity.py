"""Tokens for the users of the tests: an issuer in this process signs them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from httpx import AsyncClient

from app.settings import Settings
from tests.support.issuer import NAME, URL, FakeIssuer

ISSUER = FakeIssuer()


@contextmanager
def settings_for_tests(database_url: str) -> Iterator[Settings]:
    """Yield settings that ignore the environment; keys come from the fake issuer meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.auth.keys.new_client", ISSUER.client)
        yield Settings(
            _env_file=None,
            environment="test",
            database_url=database_url,
            jwks_url=URL,
            jwt_issuer=NAME,
            jwt_audience=NAME,
            better_auth_secret=None,
            jwt_user_id_claim="sub",
            rate_limit_storage_url="memory://",
            rate_limit_requests=None,
        )


async def get_token(_client: AsyncClient, name: str) -> tuple[str, str]:
    """Return a token for a user, and the user's id, which can be any string."""
    user_id = f"{name}Q7/{name.upper()}%2F 用户?#é;+\\.."
    return ISSUER.token(sub=user_id), user_id
