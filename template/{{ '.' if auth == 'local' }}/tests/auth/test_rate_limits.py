"""How often somebody may try."""

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
    auth_settings,
    bearer,
    client_of_other_app,
    log_in,
    register,
)
from tests.support.identity import PASSWORD
from tests.support.probe import build

LOW = {"rate_limit_login": "3/minute", "rate_limit_register": "2/minute"}
# Nothing listens there.
DEAD_REDIS = "redis://127.0.0.1:1/0"


class DownStorage(MemoryStorage):
    """Counts how often it is asked, and does not answer."""

    asked = 0

    async def incr(self, *_arguments: Any, **_options: Any) -> int:
        self.asked += 1
        raise StorageError(ConnectionError())


@pytest.fixture
async def limited(app: FastAPI, client: AsyncClient) -> AsyncIterator[AsyncClient]:
    """A client of an app with low limits."""
    async with client_of_other_app(app, **LOW) as limited:
        yield limited


def assert_limited(answer: Response) -> None:
    assert answer.status_code == 429
    assert "RATE_LIMITED" in answer.text
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


async def failures(client: AsyncClient, count: int, email: str = EMAIL) -> list[int]:
    answers = [await log_in(client, email, "wrong") for _ in range(count)]
    return [answer.status_code for answer in answers]


async def test_failed_logins_by_email(client: AsyncClient, limited: AsyncClient) -> None:
    await register(client)
    await register(client, "dave@example.com")
    assert await failures(limited, 3) == [401] * 3
    assert_limited(await log_in(limited, password="wrong"))
    assert_limited(await log_in(limited))
    assert_limited(await log_in(limited, EMAIL.upper()))
    form = {"username": EMAIL, "password": PASSWORD}
    assert_limited(await limited.post(f"{AUTH}/token", data=form))
    assert (await log_in(limited, "dave@example.com")).status_code == 200


async def test_unknown_emails_are_limited_alike(limited: AsyncClient) -> None:
    assert await failures(limited, 4, "unknown@example.com") == [401] * 3 + [429]


async def test_logins_that_succeed_do_not_count(client: AsyncClient, limited: AsyncClient) -> None:
    await register(client)
    answers = [await log_in(limited) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 5


async def test_failed_logins_by_address(client: AsyncClient, limited: AsyncClient) -> None:
    await register(client)
    for number in range(30):
        assert await failures(limited, 1, f"user{number}@example.com") == [401]
    assert_limited(await log_in(limited))


async def test_guesses_at_the_same_time(client: AsyncClient, limited: AsyncClient) -> None:
    await register(client)
    answers = await asyncio.gather(*(log_in(limited, password="wrong") for _ in range(30)))
    assert [answer.status_code for answer in answers].count(401) == 3


async def test_wrong_current_passwords_count(client: AsyncClient, limited: AsyncClient) -> None:
    await register(client)
    headers = bearer((await log_in(client)).json()["access_token"])
    body = {"current_password": "wrong", "new_password": PASSWORD}
    for _ in range(3):
        answer = await limited.post(f"{AUTH}/password", json=body, headers=headers)
        assert answer.status_code == 403
    assert_limited(await limited.post(f"{AUTH}/password", json=body, headers=headers))
    assert_limited(await log_in(limited))


async def test_registrations_by_address(app: FastAPI, limited: AsyncClient) -> None:
    assert (await register(limited)).status_code == 201
    assert (await register(limited)).status_code == 409
    assert_limited(await register(limited, "dave@example.com"))
    async with client_of_other_app(app, "192.0.2.2", **LOW) as other:
        assert (await register(other, "dave@example.com")).status_code == 201


@pytest.mark.usefixtures("database")
async def test_each_address_has_limits_of_its_own(app: FastAPI) -> None:
    other = build(app, **LOW)
    async with other.router.lifespan_context(other):
        for address in ("192.0.2.1", "192.0.2.2"):
            transport = ASGITransport(other, client=(address, 1234))
            async with AsyncClient(transport=transport, base_url="http://test") as client:
                answers = [await register(client) for _ in range(3)]
                assert [answer.status_code for answer in answers[1:]] == [409, 429]


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
async def test_what_is_one_address(first: str, second: str, same: bool) -> None:
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
def test_limit_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ValidationError):
        auth_settings(rate_limit_login=text)


def test_storage_that_is_not_supported() -> None:
    with pytest.raises(ValidationError):
        auth_settings(rate_limit_storage_url="memcached://127.0.0.1")


async def test_storage_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = MemoryStorage()
    monkeypatch.setattr("app.auth.rate_limits.RedisStorage", lambda *_, **__: storage)
    settings = auth_settings(rate_limit_storage_url=DEAD_REDIS, rate_limit_register="1/hour")
    first, second = RateLimits(settings), RateLimits(settings)
    await first.count_registration("192.0.2.1")
    with pytest.raises(RateLimited):
        await second.count_registration("192.0.2.1")
    assert all("192.0.2.1" not in key for key in storage.storage)


async def test_storage_that_is_down(app: FastAPI, client: AsyncClient) -> None:
    await register(client)
    async with client_of_other_app(app, rate_limit_storage_url=DEAD_REDIS, **LOW) as limited:
        assert (await log_in(limited)).status_code == 200
        assert await failures(limited, 4) == [401] * 3 + [429]


async def test_storage_that_is_down_is_left_alone_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    storage = DownStorage()
    monkeypatch.setattr("app.auth.rate_limits.RedisStorage", lambda *_, **__: storage)
    clock = Mock()
    monkeypatch.setattr("app.auth.rate_limits.time", clock)
    limits = RateLimits(auth_settings(rate_limit_storage_url=DEAD_REDIS))
    for now, asked in ((100.0, 1), (109.9, 1), (110.0, 2)):
        clock.monotonic.return_value = now
        await limits.count_registration("192.0.2.1")
        assert storage.asked == asked


async def test_connections_to_the_storage_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Mock(aclose=AsyncMock())
    monkeypatch.setattr(
        "app.auth.rate_limits.ConnectionPool", Mock(from_url=Mock(return_value=pool))
    )
    monkeypatch.setattr("app.auth.rate_limits.RedisStorage", lambda *_, **__: MemoryStorage())
    await RateLimits(auth_settings(rate_limit_storage_url=DEAD_REDIS)).close()
    pool.aclose.assert_awaited_once()
