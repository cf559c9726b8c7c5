"""The limit of requests: by user and by address, in memory and in Redis, and its header fields."""

import asyncio
import io
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from limits.aio.storage import MemoryStorage
from pydantic import ValidationError

from app.errors import RateLimited
from app.http import request_limits
from app.http.rate_limit_settings import RateLimitSettings
from app.http.request_limits import RequestLimits
from tests.support.error_shape import error_of
from tests.support.probe import ECHO, FAIL, build_app, websocket
from tests.support.samples import RESOURCES
from tests.support.users import UserClient

ORIGIN = "https://app.example.com"
# No server listens on this port.
DEAD_REDIS = "redis://127.0.0.1:1/0"
# 20 seconds before the end of a minute.
NOW = 1_000_000_000
IMPORT_FACTORY = "import app.factory, sys; print('app.http.request_limits' in sys.modules)"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """The clock of the limit, which stands still."""
    clock = Mock(time=Mock(return_value=float(NOW)))
    monkeypatch.setattr(request_limits, "time", clock)
    return clock


@asynccontextmanager
async def limited_client(
    app: FastAPI, limit: str, address: str = "192.0.2.1", **changes: Any
) -> AsyncIterator[AsyncClient]:
    """Yield a client with an address, of an app with a limit."""
    other = build_app(app, rate_limit_requests=limit, **changes)
    transport = ASGITransport(other, raise_app_exceptions=False, client=(address, 1234))
    async with (
        other.router.lifespan_context(other),
        AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


async def read(client: AsyncClient, user: UserClient) -> Response:
    """Read rows of a user, with the user's token."""
    return await client.get(user.url(RESOURCES[0].path), headers=user.http.headers)


async def statuses(client: AsyncClient, user: UserClient, count: int) -> list[int]:
    """Return the statuses of several requests of a user."""
    return [(await read(client, user)).status_code for _ in range(count)]


def fields(response: Response) -> tuple[str | None, str | None]:
    """Return the header fields of the limit."""
    return response.headers.get("RateLimit-Policy"), response.headers.get("RateLimit")


async def test_user(app: FastAPI, alice: UserClient) -> None:
    async with limited_client(app, "2/minute") as client:
        first = await read(client, alice)
        assert first.status_code == 200
        policies = '"address";q=20;w=60, "user";q=2;w=60'
        assert fields(first) == (policies, '"address";r=19;t=20, "user";r=1;t=20')
        assert await statuses(client, alice, 1) == [200]
        refused = await read(client, alice)
        error_of(refused, 429, "RATE_LIMITED")
        assert refused.headers["Retry-After"] == "20"
        assert fields(refused) == (policies, '"address";r=17;t=20, "user";r=0;t=20')


async def test_users_have_limits_of_their_own(
    app: FastAPI, alice: UserClient, bob: UserClient
) -> None:
    async with limited_client(app, "2/minute") as client:
        assert await statuses(client, alice, 3) == [200, 200, 429]
        assert await statuses(client, bob, 3) == [200, 200, 429]


async def test_limit_of_a_user_is_the_same_at_every_address(
    app: FastAPI, alice: UserClient
) -> None:
    other = build_app(app, rate_limit_requests="2/minute")
    async with other.router.lifespan_context(other):
        for number, status in enumerate([200, 200, 429]):
            transport = ASGITransport(other, client=(f"192.0.2.{number}", 1234))
            async with AsyncClient(transport=transport, base_url="http://test") as client:
                assert (await read(client, alice)).status_code == status


async def test_address(app: FastAPI) -> None:
    async with limited_client(app, "1/minute") as client:
        for left in range(9, -1, -1):
            response = await client.get("/")
            assert response.status_code == 200
            assert fields(response) == ('"address";q=10;w=60', f'"address";r={left};t=20')
        refused = await client.get("/")
        error_of(refused, 429, "RATE_LIMITED")
        assert refused.headers["Retry-After"] == "20"
        assert fields(refused) == ('"address";q=10;w=60', '"address";r=0;t=20')
        assert refused.headers["X-Content-Type-Options"] == "nosniff"


async def test_users_count_for_their_address(
    app: FastAPI, alice: UserClient, bob: UserClient
) -> None:
    async with limited_client(app, "1/minute") as client:
        for _ in range(5):
            await read(client, alice)
            await client.get("/nowhere")
        assert (await read(client, bob)).status_code == 429


@pytest.mark.parametrize("header", ["Bearer x", "Basic x"])
async def test_invalid_tokens_count_for_the_address_only(
    app: FastAPI, alice: UserClient, header: str
) -> None:
    path = alice.url(RESOURCES[0].path)
    async with limited_client(app, "1/minute") as client:
        for _ in range(9):
            response = await client.get(path, headers={"Authorization": header})
            assert response.status_code == 401
        assert fields(response) == ('"address";q=10;w=60', '"address";r=1;t=20')
        assert (await read(client, alice)).status_code == 200


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::8000:0:0:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("unknown", None, True),
    ],
)
async def test_addresses_that_share_a_limit(
    app: FastAPI, first: str, second: str | None, same: bool
) -> None:
    limits = RequestLimits("1/hour", "memory://")

    async def answered(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def status_of(address: str | None) -> int:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        client = address and (address, 1234)
        scope: dict[str, Any] = {"type": "http", "path": "/", "client": client, "state": {}}
        await limits.middleware(answered)(scope, Mock(), send)
        return int(sent[0]["status"])

    assert [await status_of(first) for _ in range(11)] == [200] * 10 + [429]
    assert await status_of(second) == (429 if same else 200)


async def test_fields_are_in_errors(app: FastAPI) -> None:
    async with limited_client(app, "600/minute", allowed_hosts=["test"]) as client:
        for response, status in (
            (await client.get("/nowhere"), 404),
            (await client.delete("/"), 405),
            (await client.post(ECHO, json={}), 422),
            (await client.get("/", headers={"Content-Length": "99999999"}), 413),
            (await client.get("/", headers={"Host": "evil.example"}), 400),
            (await client.get(FAIL), 500),
        ):
            assert response.status_code == status
            assert response.headers["RateLimit-Policy"] == '"address";q=6000;w=60'


async def test_requests_of_the_platform_are_not_limited(app: FastAPI) -> None:
    async with limited_client(app, "1/minute", metrics_enabled=True) as client:
        for path in ("/health", "/ready", "/metrics", "/health/"):
            for _ in range(11):
                response = await client.get(path)
                assert response.status_code == 200
                assert fields(response) == (None, None)
        assert (await client.get("/")).headers["RateLimit"] == '"address";r=9;t=20'


async def test_users_are_not_counted_where_nothing_is_limited() -> None:
    limits = RequestLimits("1/minute", "memory://")
    for _ in range(3):
        await limits.count_user({"state": {}}, "alice")


async def test_preflights_are_not_limited(app: FastAPI) -> None:
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    async with limited_client(app, "1/minute", cors_origins=[ORIGIN]) as client:
        for _ in range(11):
            assert (await client.options("/", headers=headers)).status_code == 200
        for status in [200] * 10 + [429]:
            response = await client.get("/", headers={"Origin": ORIGIN})
            assert response.status_code == status
            assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
            exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
            assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(exposed)


async def test_websockets_are_not_counted(app: FastAPI) -> None:
    assert await websocket(build_app(app, rate_limit_requests="1/minute"), "test")


async def test_windows(app: FastAPI, alice: UserClient, clock: Mock) -> None:
    async with limited_client(app, "1/minute") as client:
        for later, status, left in ((0, 200, 20), (19.9, 429, 1), (20, 200, 60), (79.9, 429, 1)):
            clock.time.return_value = NOW + later
            response = await read(client, alice)
            assert response.status_code == status
            assert response.headers["RateLimit"].endswith(f'"user";r=0;t={left}')


async def test_several_limits(app: FastAPI, alice: UserClient, clock: Mock) -> None:
    async with limited_client(app, "3/minute; 2/second") as client:
        response = await read(client, alice)
        assert fields(response) == (
            '"address-1s";q=20;w=1, "address-60s";q=30;w=60, "user-1s";q=2;w=1, "user-60s";q=3;w=60',
            '"address-1s";r=19;t=1, "address-60s";r=29;t=20, "user-1s";r=1;t=1, "user-60s";r=2;t=20',
        )
        # What the limit of a second rejects does not count for the minute.
        assert await statuses(client, alice, 3) == [200, 429, 429]
        clock.time.return_value += 1
        assert await statuses(client, alice, 2) == [200, 429]


async def test_memory_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_limits, "MAX_SUBJECTS", 3)
    limits = RequestLimits("1/minute", "memory://")

    async def is_limited(name: str) -> bool:
        scope = {"state": {request_limits.FIELDS: request_limits._Fields()}}  # noqa: SLF001
        try:
            await limits.count_user(scope, name)
        except RateLimited:
            return True
        return False

    assert [await is_limited(name) for name in "abcabc"] == [False] * 3 + [True] * 3
    # The one whose last request is the longest ago makes room.
    assert [await is_limited(name) for name in "adaba"] == [True, False, True, False, True]


async def test_storage_is_shared(
    app: FastAPI, alice: UserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = MemoryStorage()
    monkeypatch.setattr("app.http.shared_storage.RedisStorage", lambda *_, **__: storage)
    async with (
        limited_client(app, "2/year", rate_limit_storage_url=DEAD_REDIS) as one,
        limited_client(app, "2/year", rate_limit_storage_url=DEAD_REDIS) as two,
    ):
        assert await statuses(one, alice, 1) == [200]
        assert await statuses(two, alice, 2) == [200, 429]
        assert await statuses(one, alice, 1) == [429]
    assert len(storage.storage) == 2
    assert not any(alice.user_id in key or "192.0.2.1" in key for key in storage.storage)


async def test_requests_are_served_without_the_storage(
    app: FastAPI, alice: UserClient, configure: Callable[..., io.StringIO]
) -> None:
    async with limited_client(app, "2/minute", rate_limit_storage_url=DEAD_REDIS) as client:
        text = configure("console")
        assert await statuses(client, alice, 3) == [200, 200, 429]
    assert text.getvalue().count("Redis is unavailable, counting in memory: ConnectionError") == 1


async def test_requests_do_not_wait_for_a_storage_that_does_not_answer(
    app: FastAPI, alice: UserClient, configure: Callable[..., io.StringIO]
) -> None:
    connections = []

    async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with limited_client(app, "600/minute", rate_limit_storage_url=url) as client:
            text = configure("console")
            responses = await asyncio.gather(*(read(client, alice) for _ in range(5)))
        for writer in connections:
            writer.close()
    assert [response.status_code for response in responses] == [200] * 5
    assert text.getvalue().count("Redis is unavailable, counting in memory: TimeoutError") == 1
    # Once for each request, and not again for its user.
    assert len(connections) <= 5


async def test_connections_to_the_storage_are_closed(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Mock(aclose=AsyncMock())
    monkeypatch.setattr("redis.asyncio.ConnectionPool", Mock(from_url=Mock(return_value=pool)))
    monkeypatch.setattr("app.http.shared_storage.RedisStorage", lambda *_, **__: MemoryStorage())
    limits = RequestLimits("1/minute", DEAD_REDIS)
    await limits.close()
    pool.aclose.assert_awaited_once()
    monkeypatch.setattr(RequestLimits, "close", closed := AsyncMock())
    async with limited_client(app, "1/minute"):
        closed.assert_not_awaited()
    closed.assert_awaited_once()


def test_documented_where_it_applies(app: FastAPI) -> None:
    plain = app.openapi()["paths"]
    paths = build_app(app, rate_limit_requests="600/minute").openapi()["paths"]
    for path in plain:
        for method, operation in plain[path].items():
            expected = set(operation["responses"])
            if path not in {"/health", "/ready"}:
                expected.add("429")
            documented = paths[path][method]["responses"]
            assert set(documented) == expected
            for status, response in documented.items():
                if status in {"429", "503"}:
                    assert "ErrorBody" in str(response["content"])


@pytest.mark.parametrize("text", ["", "ten", "600", "600/fortnight", "0/minute", "9/day;0/second"])
def test_invalid_limit(text: str) -> None:
    with pytest.raises(ValidationError, match="rate_limit_requests"):
        RateLimitSettings(rate_limit_requests=text)


def test_nothing_is_limited_by_default() -> None:
    assert RateLimitSettings().rate_limit_requests is None
    command = [sys.executable, "-c", IMPORT_FACTORY]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    assert output.strip() == "False"


async def test_no_fields_by_default(app: FastAPI, client: AsyncClient, alice: UserClient) -> None:
    assert fields(await client.get("/")) == (None, None)
    assert fields(await alice.get(RESOURCES[0].path)) == (None, None)
    response = await client.get("/", headers={"Origin": "http://localhost:3000"})
    assert "RateLimit" not in response.headers.get("Access-Control-Expose-Headers", "")
    assert "RequestLimits" not in str(app.user_middleware)
