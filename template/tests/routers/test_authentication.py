"""Requests without a token."""

import pytest
from httpx import AsyncClient

from tests.support.api import ABSENT_ID, UPDATE_METHODS
from tests.support.cases import every_resource
from tests.support.resource import Resource
from tests.support.users import UserClient


@every_resource
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ""),
        ("GET", ""),
        ("GET", f"/{ABSENT_ID}"),
        *((method, f"/{ABSENT_ID}") for method in UPDATE_METHODS),
        ("DELETE", f"/{ABSENT_ID}"),
    ],
)
async def test_token_is_required(
    client: AsyncClient, alice: UserClient, resource: Resource, method: str, path: str
) -> None:
    url = alice.url(resource.path + path)
    response = await client.request(method, url, json={"unknown": 1})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
