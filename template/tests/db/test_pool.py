"""The pool of connections: exhausted by requests, and available again."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from pydantic import ValidationError

from app.settings import Settings
from app.state import get_state
from tests.support.error_shape import error_of
from tests.support.outages import in_use
from tests.support.probe import build_app


@pytest.mark.parametrize("size", [1, 3])
async def test_exhausted_pool_is_a_503_and_recovers(app: FastAPI, size: int) -> None:
    other = build_app(app, database_pool_size=size, database_pool_timeout_seconds=0.1)
    database = get_state(other).database
    async with (
        other.router.lifespan_context(other),
        AsyncClient(transport=ASGITransport(other), base_url="http://test") as client,
    ):
        async with AsyncExitStack() as taken:
            for _ in range(size):
                await taken.enter_async_context(database.engine.connect())
            async with asyncio.timeout(2):
                response = await client.get("/ready")
        error_of(response, 503, "SERVICE_UNAVAILABLE")
        assert int(response.headers["Retry-After"]) > 0
        assert (await client.get("/ready")).status_code == 200


async def test_many_requests_share_the_connections(app: FastAPI) -> None:
    other = build_app(app, database_pool_size=2)
    async with (
        other.router.lifespan_context(other),
        AsyncClient(transport=ASGITransport(other), base_url="http://test") as client,
    ):
        responses = await asyncio.gather(*(client.get("/ready") for _ in range(100)))
        assert {response.status_code for response in responses} == {200}
        assert in_use(get_state(other).database) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"database_pool_size": 0},
        {"database_pool_size": "many"},
        {"database_pool_timeout_seconds": 0},
        {"database_pool_timeout_seconds": -1},
    ],
)
def test_invalid_settings_are_rejected(app: FastAPI, changes: dict[str, object]) -> None:
    given = get_state(app).settings.model_dump(exclude_unset=True)
    with pytest.raises(ValidationError, match=next(iter(changes))):
        Settings.model_validate(given | changes)
