"""Fetching the issuer's keys: responses, redirects, errors, and keys that are ignored."""

import asyncio
import itertools
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from app.auth import keys
from app.auth.keys import KeyCache, read_keys
from app.errors import ServiceUnavailable
from tests.support.issuer import URL, FakeIssuer

DOCUMENT = FakeIssuer().document()
NO_KEY = "the response has no key that can verify signatures"


async def logged_cause(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, respond: Any
) -> str:
    """Return the logged reason why keys could not be fetched."""
    client = httpx.AsyncClient(transport=httpx.MockTransport(respond))
    monkeypatch.setattr(keys, "new_client", lambda: client)
    cache = KeyCache(URL)
    caplog.clear()
    with pytest.raises(ServiceUnavailable) as refused:
        await cache.get("first")
    await cache.close()
    [record] = [record for record in caplog.records if record.name == "app.auth.keys"]
    assert record.levelno == logging.WARNING
    # The exception that is logged with each 503 has the same message.
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
    message = await logged_cause(caplog, monkeypatch, respond)
    assert message == "no complete response within 0.01 seconds"


@pytest.mark.parametrize(
    ("response", "message"),
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
async def test_response_without_keys(
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    response: httpx.Response,
    message: str,
) -> None:
    assert await logged_cause(caplog, monkeypatch, lambda _request: response) == message


@pytest.mark.parametrize(
    ("error", "message"),
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
async def test_connection_error(
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    message: str,
) -> None:
    def respond(_request: httpx.Request) -> httpx.Response:
        raise error

    assert await logged_cause(caplog, monkeypatch, respond) == message


class Unread(httpx.AsyncByteStream):
    """The body of a redirect, which must not be read because it could have any size."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        raise AssertionError


def redirecting(targets: dict[str, str], seen: list[str]) -> httpx.AsyncClient:
    """Return a client that is redirected from each URL to its target, and gets keys from others."""
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
async def test_redirects_that_are_rejected(
    monkeypatch: pytest.MonkeyPatch, url: str, targets: dict[str, str], fetches: int
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(keys, "new_client", lambda: redirecting(targets, seen))
    cache = KeyCache(url)
    with pytest.raises(ServiceUnavailable):
        await cache.get("first")
    await cache.close()
    assert len(seen) == fetches


async def test_largest_response_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    response = httpx.Response(200, content=DOCUMENT.ljust(256 * 1024))
    transport = httpx.MockTransport(lambda _request: response)
    monkeypatch.setattr(keys, "new_client", lambda: httpx.AsyncClient(transport=transport))
    cache = KeyCache(URL)
    assert await cache.get("first") is not None
    await cache.close()


def test_unusable_keys_are_ignored() -> None:
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
