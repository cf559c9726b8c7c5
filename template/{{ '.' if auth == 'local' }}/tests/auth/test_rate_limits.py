"""Rate limits of login, registration and password changes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from limits.aio.storage import MemoryStorage
from limits.errors import StorageError
from pydantic import ValidationError

from app.auth.rate_limits import RateLimits
from app.errors import RateLimited
from tests.support.accounts import (
    AUTH,
    EMAIL,
    REGISTERED,
    TAKEN,
    auth_settings,
    bearer,
    client_with_address,
    log_in,
    register,
)
from tests.support.identity import PASSWORD
from tests.support.probe import build_app

LOW = {"rate_limit_login": "3/minute", "rate_limit_register": "2/minute"}
# No server listens on this port.
DEAD_REDIS = "redis://127.0.0.1:1/0"


class DownStorage(MemoryStorage):
    """A storage that is unavailable, and counts the attempts."""

    attempts = 0

    async def incr(self, *_arguments: Any, **_options: Any) -> int:
        self.attempts += 1
        raise StorageError(ConnectionError())


@pytest.fixture
async def limited(app: FastAPI, client: AsyncClient) -> AsyncIterator[AsyncClient]:
    """A client of an app with low limits."""
    async with client_with_address(app, **LOW) as limited:
        yield limited


def assert_limited(response: Response) -> None:
    """Check that a request was rejected by a rate limit."""
    assert response.status_code == 429
    assert "RATE_LIMITED" in response.text
    assert 1 <= int(response.headers["Retry-After"]) <= 60


async def failed_logins(client: AsyncClient, count: int, email: str = EMAIL) -> list[int]:
    """Send logins with a wrong password; return the statuses."""
    responses = [await log_in(client, email, "wrong") for _ in range(count)]
    return [response.status_code for response in responses]


async def test_failed_logins_by_email(client: AsyncClient, limited: AsyncClient) -> None:
    await register(client)
    await register(client, "dave@example.com")
    assert await failed_logins(limited, 3) == [401] * 3
    assert_limited(await log_in(limited, password="wrong"))
    assert_limited(await log_in(limited))
    assert_limited(await log_in(limited, EMAIL.upper()))
    form = {"username": EMAIL, "password": PASSWORD}
    assert_limited(await limited.post(f"{AUTH}/token", data=form))
    assert (await log_in(limited, "dave@example.com")).status_code == 200


async def test_unknown_emails_are_limited_too(limited: AsyncClient) -> None:
    assert await failed_logins(limited, 4, "unknown@example.com") == [401] * 3 + [429]


async def test_successful_logins_do_not_count(client: AsyncClient, limited: AsyncClient) -> None:
    await register(client)
    responses = [await log_in(limited) for _ in range(5)]
    assert [response.status_code for response in responses] == [200] * 5


async def test_failed_logins_by_address(client: AsyncClient, limited: AsyncClient) -> None:
    await register(client)
    for number in range(30):
        assert await failed_logins(limited, 1, f"user{number}@example.com") == [401]
    assert_limited(await log_in(limited))


async def test_parallel_guesses(client: AsyncClient, limited: AsyncClient) -> None:
    await register(client)
    responses = await asyncio.gather(*(log_in(limited, password="wrong") for _ in range(30)))
    assert [response.status_code for response in responses].count(401) == 3


async def test_wrong_current_passwords_count(client: AsyncClient, limited: AsyncClient) -> None:
    await register(client)
    headers = bearer((await log_in(client)).json()["access_token"])
    body = {"current_password": "wrong", "new_password": PASSWORD}
    for _ in range(3):
        response = await limited.post(f"{AUTH}/password", json=body, headers=headers)
        assert response.status_code == 403
    assert_limited(await limited.post(f"{AUTH}/password", json=body, headers=headers))
    assert_limited(await log_in(limited))


async def test_registrations_by_address(app: FastAPI, limited: AsyncClient) -> None:
    assert (await register(limited)).status_code == REGISTERED
    assert (await register(limited)).status_code == TAKEN
    assert_limited(await register(limited, "dave@example.com"))
    async with client_with_address(app, "192.0.2.2", **LOW) as other:
        assert (await register(other, "dave@example.com")).status_code == REGISTERED


@pytest.mark.usefixtures("database")
async def test_each_address_has_its_own_limits(app: FastAPI) -> None:
    other = build_app(app, **LOW)
    async with other.router.lifespan_context(other):
        for address in ("192.0.2.1", "192.0.2.2"):
            transport = ASGITransport(other, client=(address, 1234))
            async with AsyncClient(transport=transport, base_url="http://test") as client:
                responses = [await register(client) for _ in range(3)]
                assert [response.status_code for response in responses[1:]] == [TAKEN, 429]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::8000:0:0:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("unknown", "unknown", True),
    ],
)
async def test_addresses_that_share_a_limit(first: str, second: str, same: bool) -> None:
    limits = RateLimits(auth_settings(rate_limit_register="1/hour"))
    await limits.count_registration(first)
    try:
        await limits.count_registration(second)
    except RateLimited:
        assert same
    else:
        assert not same


async def test_several_limits_at_once() -> None:
    limits = RateLimits(auth_settings(rate_limit_login="100/minute;2/day"))
    for _ in range(2):
        await limits.check_login(EMAIL, "192.0.2.1")
        await limits.count_failed_login(EMAIL, "192.0.2.1")
    with pytest.raises(RateLimited) as refused:
        await limits.check_login(EMAIL, "192.0.2.1")
    assert int((refused.value.headers or {})["Retry-After"]) > 60


@pytest.mark.parametrize("text", ["", "ten", "10", "10/fortnight", "-1/minute"])
def test_invalid_limit(text: str) -> None:
    with pytest.raises(ValidationError):
        auth_settings(rate_limit_login=text)


def test_unsupported_storage() -> None:
    with pytest.raises(ValidationError):
        auth_settings(rate_limit_storage_url="memcached://127.0.0.1")


async def test_storage_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = MemoryStorage()
    monkeypatch.setattr("app.http.shared_storage.RedisStorage", lambda *_, **__: storage)
    settings = auth_settings(rate_limit_storage_url=DEAD_REDIS, rate_limit_register="1/hour")
    first, second = RateLimits(settings), RateLimits(settings)
    await first.count_registration("192.0.2.1")
    with pytest.raises(RateLimited):
        await second.count_registration("192.0.2.1")
    assert all("192.0.2.1" not in key for key in storage.storage)


async def test_limits_without_the_storage(app: FastAPI, client: AsyncClient) -> None:
    await register(client)
    async with client_with_address(app, rate_limit_storage_url=DEAD_REDIS, **LOW) as limited:
        assert (await log_in(limited)).status_code == 200
        assert await failed_logins(limited, 4) == [401] * 3 + [429]


async def test_unavailable_storage_is_retried_after_ten_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    storage = DownStorage()
    monkeypatch.setattr("app.http.shared_storage.RedisStorage", lambda *_, **__: storage)
    clock = Mock()
    monkeypatch.setattr("app.http.shared_storage.time", clock)
    limits = RateLimits(auth_settings(rate_limit_storage_url=DEAD_REDIS))
    for now, attempts in ((100.0, 1), (109.9, 1), (110.0, 2)):
        clock.monotonic.return_value = now
        await limits.count_registration("192.0.2.1")
        assert storage.attempts == attempts


async def test_connections_to_the_storage_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Mock(aclose=AsyncMock())
    monkeypatch.setattr("redis.asyncio.ConnectionPool", Mock(from_url=Mock(return_value=pool)))
    monkeypatch.setattr("app.http.shared_storage.RedisStorage", lambda *_, **__: MemoryStorage())
    await RateLimits(auth_settings(rate_limit_storage_url=DEAD_REDIS)).close()
    pool.aclose.assert_awaited_once()
