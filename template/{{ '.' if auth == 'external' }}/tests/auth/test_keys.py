"""How the keys of the issuer are fetched and kept."""

import asyncio
import itertools
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from app.auth import keys
from app.auth.keys import KeyCache, read_keys
from app.errors import ServiceUnavailable
from tests.support.callers import ask, is_refused, who_app
from tests.support.issuer import URL, FakeIssuer

# Read before the fixtures replace it: the tests reach no network.
CLIENT_OF_PRODUCTION = keys.new_client


DOCUMENT = FakeIssuer().document()
NO_KEY = "the response has no key that can verify signatures"


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        # Each look takes a moment, as it does.
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
    """An issuer of the test's own."""
    issuer = FakeIssuer()
    monkeypatch.setattr(keys, "new_client", issuer.client)
    return issuer


@pytest.fixture
async def cache(issuer: FakeIssuer, clock: Clock) -> AsyncIterator[KeyCache]:
    """A cache that has fetched nothing yet."""
    cache = KeyCache(URL)
    yield cache
    await cache.close()


async def settle() -> None:
    """Let what runs in the background end."""
    for _ in range(100):
        await asyncio.sleep(0)


async def test_keys_are_kept(cache: KeyCache, issuer: FakeIssuer) -> None:
    for _ in range(10):
        assert await cache.get("first") is not None
        await settle()
    assert issuer.fetches == 1


async def test_requests_at_the_same_time_share_a_fetch(cache: KeyCache, issuer: FakeIssuer) -> None:
    found = await asyncio.gather(*(cache.get("first") for _ in range(20)))
    assert all(found)
    assert issuer.fetches == 1


async def test_invented_ids_cost_the_issuer_nothing(
    cache: KeyCache, issuer: FakeIssuer, clock: Clock
) -> None:
    found = await asyncio.gather(*(cache.get(f"invented-{n}") for n in range(50)))
    found += [await cache.get(f"invented-{n}") for n in range(50, 100)]
    assert found == [None] * 100
    assert issuer.fetches <= 2
    clock.now += keys.SEARCH_PAUSE_SECONDS
    assert await cache.get("invented") is None
    assert issuer.fetches <= 3


async def test_unknown_ids_are_looked_for_twice_a_minute(
    cache: KeyCache, issuer: FakeIssuer, clock: Clock
) -> None:
    assert await cache.get("first") is not None
    for seconds, fetches in ((0, 2), (29.5, 2), (0.5, 3)):
        clock.now += seconds
        assert await cache.get("invented") is None
        assert issuer.fetches == fetches


async def test_new_key_is_found_at_once(cache: KeyCache, issuer: FakeIssuer) -> None:
    assert await cache.get("first") is not None
    issuer.rotate("second")
    found = await asyncio.gather(*(cache.get("second") for _ in range(10)))
    assert all(found)
    assert issuer.fetches == 2


async def test_old_keys_are_fetched_anew_once(
    cache: KeyCache, issuer: FakeIssuer, clock: Clock
) -> None:
    assert await cache.get("first") is not None
    clock.now += 299.5
    assert await cache.get("first") is not None
    await settle()
    assert issuer.fetches == 1
    clock.now += 0.5
    assert all(await asyncio.gather(*(cache.get("first") for _ in range(10))))
    await settle()
    assert issuer.fetches == 2


async def test_client_waits_for_nobody() -> None:
    async with CLIENT_OF_PRODUCTION() as client:
        assert client.timeout == httpx.Timeout(3)


async def test_dropped_key_is_forgotten(cache: KeyCache, issuer: FakeIssuer, clock: Clock) -> None:
    assert await cache.get("first") is not None
    issuer.rotate("second", drop_others=True)
    clock.now += keys.FRESH_SECONDS
    # This one only causes the fetch, in the background.
    assert await cache.get("first") is not None
    await settle()
    assert await cache.get("first") is None
    assert await cache.get("second") is not None


async def test_issuer_that_is_down(cache: KeyCache, issuer: FakeIssuer, clock: Clock) -> None:
    assert await cache.get("first") is not None
    issuer.is_up = False
    for _ in range(3):
        clock.now += keys.FRESH_SECONDS
        assert await cache.get("first") is not None
        await settle()
    with pytest.raises(ServiceUnavailable):
        await cache.get("second")
    fetches = issuer.fetches
    for _ in range(10):
        assert await cache.get("first") is not None
        await settle()
    assert issuer.fetches == fetches
    issuer.is_up = True
    issuer.rotate("second")
    clock.now += keys.FAILURE_PAUSE_SECONDS
    assert await cache.get("second") is not None


async def test_issuer_that_is_down_at_first(
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


async def test_nobody_is_refused_while_the_keys_are_missing(
    app: FastAPI, issuer: FakeIssuer
) -> None:
    issuer.is_up = False
    async with who_app(app) as who:
        answer = await ask(who, issuer.token())
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert await is_refused(who, "x")


async def test_client_is_closed_with_the_app(
    app: FastAPI, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = issuer.client()
    monkeypatch.setattr(keys, "new_client", lambda: client)
    async with who_app(app) as who:
        assert not await is_refused(who, issuer.token())
        assert not client.is_closed
    assert client.is_closed


async def test_outage_and_rotation(app: FastAPI, issuer: FakeIssuer, clock: Clock) -> None:
    async with who_app(app) as who:
        old = issuer.token()
        assert not await is_refused(who, old)
        issuer.is_up = False
        clock.now += keys.FRESH_SECONDS
        assert not await is_refused(who, old)
        await settle()
        issuer.rotate("second", drop_others=True)
        assert (await ask(who, issuer.token())).status_code == 503
        issuer.is_up = True
        clock.now += keys.FAILURE_PAUSE_SECONDS
        assert not await is_refused(who, issuer.token())
        assert await is_refused(who, old)


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256", "PS256"])
async def test_algorithms(app: FastAPI, monkeypatch: pytest.MonkeyPatch, algorithm: str) -> None:
    issuer = FakeIssuer(algorithm)
    monkeypatch.setattr(keys, "new_client", issuer.client)
    async with who_app(app) as who:
        assert not await is_refused(who, issuer.token())
        other = FakeIssuer(algorithm)
        assert await is_refused(who, other.token())


async def test_token_without_a_key_id(app: FastAPI, issuer: FakeIssuer) -> None:
    async with who_app(app) as who:
        assert not await is_refused(who, issuer.token({"kid": None}))
    of_the_first_key = issuer.token({"kid": None})
    issuer.rotate("second")
    async with who_app(app) as who:
        assert await is_refused(who, of_the_first_key)


async def test_token_of_no_key_costs_the_issuer_nothing(app: FastAPI, issuer: FakeIssuer) -> None:
    async with who_app(app) as who:
        for header in ({"alg": "HS256"}, {"alg": "none"}, {"typ": "other"}, {"crit": ["x"]}):
            assert await is_refused(who, issuer.token({"kid": "invented", **header}))
    assert issuer.fetches == 0


async def cause(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, respond: Any
) -> str:
    """Return what the log says about an issuer whose answer holds no keys."""
    client = httpx.AsyncClient(transport=httpx.MockTransport(respond))
    monkeypatch.setattr(keys, "new_client", lambda: client)
    cache = KeyCache(URL)
    caplog.clear()
    with pytest.raises(ServiceUnavailable) as refused:
        await cache.get("first")
    await cache.close()
    [record] = [record for record in caplog.records if record.name == "app.auth.keys"]
    assert record.levelno == logging.WARNING
    # The error that each answer of 503 leaves in the log says it once more.
    assert str(refused.value.__cause__) == record.getMessage()
    assert "issuer" not in str(refused.value)
    return record.getMessage().removeprefix("cannot fetch the keys of the issuer: ")


async def test_slow_issuer(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def respond(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError

    monkeypatch.setattr(keys, "FETCH_TIMEOUT_SECONDS", 0.01)
    said = await cause(caplog, monkeypatch, respond)
    assert said == "no complete response within 0.01 seconds"


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (httpx.Response(404, content=DOCUMENT), "the response has status 404"),
        (httpx.Response(500, content=DOCUMENT), "the response has status 500"),
        (httpx.Response(302, content=DOCUMENT), "the response has status 302"),
        (httpx.Response(302, headers={"Location": URL}), "more than 5 redirects"),
        (
            httpx.Response(301, headers={"Location": "http://issuer.example/jwks"}),
            "a redirect from https to http is not followed",
        ),
        (
            httpx.Response(301, headers={"Location": "ftp://issuer.example/jwks"}),
            "a redirect from https to ftp is not followed",
        ),
        (httpx.Response(200, content=b""), "the response is not JSON"),
        (httpx.Response(200, content=b"\xff"), "the response is not JSON"),
        (httpx.Response(200, html="<!doctype html>"), "the response is not JSON"),
        (httpx.Response(200, content=b"[" * 100_000), "the response is not JSON"),
        (
            httpx.Response(200, content=DOCUMENT.ljust(256 * 1024 + 1)),
            "the response is longer than 262144 bytes",
        ),
        (httpx.Response(200, json=[]), NO_KEY),
        (httpx.Response(200, json={"keys": None}), NO_KEY),
        (httpx.Response(200, json={"keys": []}), NO_KEY),
        (httpx.Response(200, json={"keys": [None, 7, {"kty": "oct", "k": "AAAA"}]}), NO_KEY),
    ],
)
async def test_answer_that_holds_no_keys(
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    response: httpx.Response,
    said: str,
) -> None:
    assert await cause(caplog, monkeypatch, lambda _request: response) == said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            httpx.ConnectError("[Errno -2] Name or service not known"),
            "issuer.example: [Errno -2] Name or service not known",
        ),
        (httpx.ConnectError(""), "issuer.example: ConnectError"),
        (httpx.ConnectTimeout(""), "no complete response within 3 seconds"),
        (httpx.DecodingError("incorrect header check"), "issuer.example: incorrect header check"),
    ],
)
async def test_connection_that_fails(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def respond(_request: httpx.Request) -> httpx.Response:
        raise error

    assert await cause(caplog, monkeypatch, respond) == said


class Unread(httpx.AsyncByteStream):
    """The body of a redirect, which could be of any size, and is not read."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        raise AssertionError


def redirecting(targets: dict[str, str], seen: list[str]) -> httpx.AsyncClient:
    """Return a client to which each of these addresses answers with the next, and others with keys."""
    codes = itertools.cycle([301, 302, 303, 307, 308])

    def respond(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET"
        seen.append(str(request.url))
        if target := targets.get(str(request.url)):
            return httpx.Response(next(codes), headers={"Location": target}, stream=Unread())
        return httpx.Response(200, content=DOCUMENT)

    return httpx.AsyncClient(transport=httpx.MockTransport(respond))


@pytest.mark.parametrize(
    ("url", "targets"),
    [
        (URL, {URL: f"{URL}/"}),
        (URL, {URL: "/keys"}),
        (URL, {URL: "https://www.issuer.example/keys"}),
        ("http://issuer.example/", {"http://issuer.example/": "https://issuer.example/"}),
        ("http://auth:3000/", {"http://auth:3000/": "http://auth:3000/keys"}),
        (f"{URL}/0", {f"{URL}/{number}": f"{URL}/{number + 1}" for number in range(5)}),
    ],
)
async def test_redirects_are_followed(
    monkeypatch: pytest.MonkeyPatch, url: str, targets: dict[str, str]
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(keys, "new_client", lambda: redirecting(targets, seen))
    cache = KeyCache(url)
    assert await cache.get("first") is not None
    await cache.close()
    assert len(seen) == len(targets) + 1


@pytest.mark.parametrize(
    ("url", "targets", "fetches"),
    [
        (URL, {URL: "http://issuer.example/keys"}, 1),
        (
            "http://issuer.example/",
            {"http://issuer.example/": URL, URL: "http://issuer.example/keys"},
            2,
        ),
        (f"{URL}/0", {f"{URL}/{number}": f"{URL}/{number + 1}" for number in range(6)}, 6),
        (URL, {URL: URL}, 6),
        (URL, {URL: "https://issuer.example:port/"}, 1),
        ("http://issuer.example/", {"http://issuer.example/": "file:///etc/passwd"}, 1),
    ],
)
async def test_redirects_that_lead_nowhere(
    monkeypatch: pytest.MonkeyPatch, url: str, targets: dict[str, str], fetches: int
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(keys, "new_client", lambda: redirecting(targets, seen))
    cache = KeyCache(url)
    with pytest.raises(ServiceUnavailable):
        await cache.get("first")
    await cache.close()
    assert len(seen) == fetches


async def test_long_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    response = httpx.Response(200, content=DOCUMENT.ljust(256 * 1024))
    transport = httpx.MockTransport(lambda _request: response)
    monkeypatch.setattr(keys, "new_client", lambda: httpx.AsyncClient(transport=transport))
    cache = KeyCache(URL)
    assert await cache.get("first") is not None
    await cache.close()


def test_keys_that_cannot_be_used_are_left_out() -> None:
    issuer = FakeIssuer()
    good = issuer.jwk("first")
    private = OKPAlgorithm.to_jwk(issuer.keys["first"], as_dict=True)  # type: ignore[call-overload]
    weak_key = rsa.generate_private_key(65537, 1024)  # noqa: S505
    weak = RSAAlgorithm.to_jwk(weak_key.public_key(), as_dict=True)
    unusable: list[Any] = [
        None,
        "text",
        {},
        {"kty": "unknown"},
        {"kty": ["OKP"]},
        {"kty": "RSA"},
        {"kty": "OKP", "crv": "X25519", "x": good["x"]},
        {"kty": "EC", "crv": "secp256k1", "x": good["x"], "y": good["x"]},
        {**weak, "key_ops": ["verify"]},
        {**good, "use": "enc"},
        {**good, "key_ops": ["encrypt"]},
        {**good, "key_ops": "verify"},
        {**good, "alg": "none"},
        {**good, "alg": "HS256"},
        {**good, "alg": ["EdDSA"]},
        {**good, "alg": "RS256"},
        {**good, "x": "AAAA"},
        {**good, "x": 7},
        {"kty": "oct", "k": good["x"]},
        private,
    ]
    document = [{**jwk, "kid": "bad"} if isinstance(jwk, dict) else jwk for jwk in unusable]
    found = read_keys(json.dumps({"keys": [*document, good]}).encode())
    assert list(found) == ["first"]
