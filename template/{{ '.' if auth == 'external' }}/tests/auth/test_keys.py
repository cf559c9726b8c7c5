"""The cache of the issuer's keys: when keys are fetched, and what happens without them."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from app.auth import keys
from app.auth.keys import KeyCache
from app.errors import ServiceUnavailable
from tests.support.callers import get_whoami, is_refused, whoami_client
from tests.support.issuer import URL, FakeIssuer

# Read before a fixture replaces it: tests use no network.
PRODUCTION_CLIENT = keys.new_client


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        # Time passes between two readings.
        self.now += 0.001
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the cache."""
    clock = Clock()
    monkeypatch.setattr(keys, "clock", clock)
    return clock


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> FakeIssuer:
    """An issuer for one test."""
    issuer = FakeIssuer()
    monkeypatch.setattr(keys, "new_client", issuer.client)
    return issuer


@pytest.fixture
async def cache(issuer: FakeIssuer, clock: Clock) -> AsyncIterator[KeyCache]:
    """A cache that has fetched nothing yet."""
    cache = KeyCache(URL)
    yield cache
    await cache.close()


async def finish_background_tasks() -> None:
    """Let background work finish."""
    for _ in range(100):
        await asyncio.sleep(0)


async def test_keys_are_cached(cache: KeyCache, issuer: FakeIssuer) -> None:
    for _ in range(10):
        assert await cache.get("first") is not None
        await finish_background_tasks()
    assert issuer.fetches == 1


async def test_concurrent_requests_share_a_fetch(cache: KeyCache, issuer: FakeIssuer) -> None:
    found = await asyncio.gather(*(cache.get("first") for _ in range(20)))
    assert all(found)
    assert issuer.fetches == 1


async def test_many_unknown_ids_cause_few_fetches(
    cache: KeyCache, issuer: FakeIssuer, clock: Clock
) -> None:
    found = await asyncio.gather(*(cache.get(f"invented-{n}") for n in range(50)))
    found += [await cache.get(f"invented-{n}") for n in range(50, 100)]
    assert found == [None] * 100
    assert issuer.fetches <= 2
    clock.now += keys.SEARCH_PAUSE_SECONDS
    assert await cache.get("invented") is None
    assert issuer.fetches <= 3


async def test_unknown_ids_cause_a_fetch_every_30_seconds(
    cache: KeyCache, issuer: FakeIssuer, clock: Clock
) -> None:
    assert await cache.get("first") is not None
    for seconds, fetches in ((0, 2), (29.5, 2), (0.5, 3)):
        clock.now += seconds
        assert await cache.get("invented") is None
        assert issuer.fetches == fetches


async def test_new_key_is_found_immediately(cache: KeyCache, issuer: FakeIssuer) -> None:
    assert await cache.get("first") is not None
    issuer.rotate("second")
    found = await asyncio.gather(*(cache.get("second") for _ in range(10)))
    assert all(found)
    assert issuer.fetches == 2


async def test_stale_keys_are_refreshed_once(
    cache: KeyCache, issuer: FakeIssuer, clock: Clock
) -> None:
    assert await cache.get("first") is not None
    clock.now += 299.5
    assert await cache.get("first") is not None
    await finish_background_tasks()
    assert issuer.fetches == 1
    clock.now += 0.5
    assert all(await asyncio.gather(*(cache.get("first") for _ in range(10))))
    await finish_background_tasks()
    assert issuer.fetches == 2


async def test_client_has_a_timeout() -> None:
    async with PRODUCTION_CLIENT() as client:
        assert client.timeout == httpx.Timeout(3)


async def test_removed_key_is_dropped_from_the_cache(
    cache: KeyCache, issuer: FakeIssuer, clock: Clock
) -> None:
    assert await cache.get("first") is not None
    issuer.rotate("second", drop_others=True)
    clock.now += keys.FRESH_SECONDS
    # This call only starts a fetch in the background.
    assert await cache.get("first") is not None
    await finish_background_tasks()
    assert await cache.get("first") is None
    assert await cache.get("second") is not None


async def test_issuer_becomes_unavailable(
    cache: KeyCache, issuer: FakeIssuer, clock: Clock
) -> None:
    assert await cache.get("first") is not None
    issuer.is_up = False
    for _ in range(3):
        clock.now += keys.FRESH_SECONDS
        assert await cache.get("first") is not None
        await finish_background_tasks()
    with pytest.raises(ServiceUnavailable):
        await cache.get("second")
    fetches = issuer.fetches
    for _ in range(10):
        assert await cache.get("first") is not None
        await finish_background_tasks()
    assert issuer.fetches == fetches
    issuer.is_up = True
    issuer.rotate("second")
    clock.now += keys.FAILURE_PAUSE_SECONDS
    assert await cache.get("second") is not None


async def test_issuer_is_unavailable_at_first(
    cache: KeyCache, issuer: FakeIssuer, clock: Clock
) -> None:
    issuer.is_up = False
    for _ in range(10):
        with pytest.raises(ServiceUnavailable) as refused:
            await cache.get("first")
        assert (refused.value.headers or {})["Retry-After"] == "5"
    assert issuer.fetches == 1
    issuer.is_up = True
    clock.now += keys.FAILURE_PAUSE_SECONDS
    assert await cache.get("first") is not None


async def test_missing_keys_are_a_503(app: FastAPI, issuer: FakeIssuer) -> None:
    issuer.is_up = False
    async with whoami_client(app) as api:
        response = await get_whoami(api, issuer.token())
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) >= 1
        assert await is_refused(api, "x")


async def test_client_is_closed_with_the_app(
    app: FastAPI, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = issuer.client()
    monkeypatch.setattr(keys, "new_client", lambda: client)
    async with whoami_client(app) as api:
        assert not await is_refused(api, issuer.token())
        assert not client.is_closed
    assert client.is_closed


async def test_outage_and_rotation(app: FastAPI, issuer: FakeIssuer, clock: Clock) -> None:
    async with whoami_client(app) as api:
        old = issuer.token()
        assert not await is_refused(api, old)
        issuer.is_up = False
        clock.now += keys.FRESH_SECONDS
        assert not await is_refused(api, old)
        await finish_background_tasks()
        issuer.rotate("second", drop_others=True)
        assert (await get_whoami(api, issuer.token())).status_code == 503
        issuer.is_up = True
        clock.now += keys.FAILURE_PAUSE_SECONDS
        assert not await is_refused(api, issuer.token())
        assert await is_refused(api, old)


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256", "PS256"])
async def test_algorithms(app: FastAPI, monkeypatch: pytest.MonkeyPatch, algorithm: str) -> None:
    issuer = FakeIssuer(algorithm)
    monkeypatch.setattr(keys, "new_client", issuer.client)
    async with whoami_client(app) as api:
        assert not await is_refused(api, issuer.token())
        other = FakeIssuer(algorithm)
        assert await is_refused(api, other.token())


async def test_token_without_a_key_id(app: FastAPI, issuer: FakeIssuer) -> None:
    async with whoami_client(app) as api:
        assert not await is_refused(api, issuer.token({"kid": None}))
    of_the_first_key = issuer.token({"kid": None})
    issuer.rotate("second")
    async with whoami_client(app) as api:
        assert await is_refused(api, of_the_first_key)


async def test_token_that_no_key_can_verify_causes_no_fetch(
    app: FastAPI, issuer: FakeIssuer
) -> None:
    async with whoami_client(app) as api:
        for header in ({"alg": "HS256"}, {"alg": "none"}, {"typ": "other"}, {"crit": ["x"]}):
            assert await is_refused(api, issuer.token({"kid": "invented", **header}))
    assert issuer.fetches == 0
