"""Attacks on tokens of the issuer: RFC 8725, RFC 6750 and OWASP ASVS 5, chapter 9."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from fastapi import FastAPI
from httpx import AsyncClient

from tests.support.callers import WHOAMI, is_refused, whoami_client
from tests.support.identity import ISSUER
from tests.support.issuer import NAME, FakeIssuer, encode, sign

NOW = int(time.time())
# The app does not have its keys, whose ids are those of the real keys.
ATTACKER = FakeIssuer()


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client of an app that returns the current user."""
    async with whoami_client(app) as client:
        yield client


async def test_valid_token(api: AsyncClient) -> None:
    assert not await is_refused(api, ISSUER.token())


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "nOnE", "", pytest.param(None, id="missing")]
)
async def test_no_algorithm(api: AsyncClient, algorithm: str | None) -> None:
    signed = ISSUER.token({"alg": algorithm})
    assert await is_refused(api, signed)
    assert await is_refused(api, signed.rpartition(".")[0] + ".")


@pytest.mark.parametrize(
    "algorithm", ["ES256", "RS256", "HS256", "eddsa", "EdDSA ", ["EdDSA"], {"EdDSA": 1}, 7]
)
async def test_token_does_not_choose_the_algorithm(api: AsyncClient, algorithm: Any) -> None:
    assert await is_refused(api, ISSUER.token({"alg": algorithm}))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_public_key_as_a_shared_secret(api: AsyncClient, algorithm: str) -> None:
    public = ISSUER.keys["first"].public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    payload = json.dumps(ISSUER.claims()).encode()
    for secret in (pem, pem.strip(), raw, ISSUER.jwk("first")["x"].encode(), b"\0" * 32):
        header = {"alg": algorithm, "kid": "first"}
        assert await is_refused(api, sign(algorithm, secret, header, payload))


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"jwk": ATTACKER.jwk("first")},
        {"jku": "https://attacker.example/jwks.json"},
        {"x5u": "https://attacker.example/cert.pem"},
        {"x5c": ["MIIB"]},
        {"kid": None},
    ],
)
async def test_key_of_another_issuer(api: AsyncClient, header: dict[str, Any]) -> None:
    fetches = ISSUER.fetches
    assert await is_refused(api, ATTACKER.token(header))
    assert ISSUER.fetches <= fetches + 1


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "id+jwt"},
        {"typ": "logout+jwt"},
        {"typ": "better-auth.session-cache+jwt"},
        {"typ": ["JWT"]},
        {"crit": ["unknown"], "unknown": 1},
        {"crit": ["b64"]},
        {"crit": ["b64"], "b64": True},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"b64": True},
    ],
)
async def test_invalid_header(api: AsyncClient, header: dict[str, Any]) -> None:
    assert await is_refused(api, ISSUER.token(header))


@pytest.mark.parametrize(
    "key_id",
    [
        "",
        "FIRST",
        "first ",
        "../../dev/null",
        "' OR 1=1 --",
        "\0",
        "\ud800",
        "k" * 5000,
        7,
        ["first"],
    ],
)
async def test_hostile_key_id(api: AsyncClient, key_id: Any) -> None:
    assert await is_refused(api, ISSUER.token({"kid": key_id}))


async def test_tampered_token(api: AsyncClient) -> None:
    header, payload, signature = ISSUER.token().split(".")
    other = ("A" if signature[0] != "A" else "B") + signature[1:]
    claims = encode(json.dumps(ISSUER.claims(sub="bob")).encode())
    for token in (
        f"{header}.{payload}.{other}",
        f"{header}.{payload}.{signature[:-4]}",
        f"{header}.{payload}.",
        f"{header}.{payload}",
        f"{header}.{claims}.{signature}",
        f"{header}..{signature}",
        f"{header}.{payload}.{signature}.{signature}",
        f"{header}.{payload}.{signature} {signature}",
    ):
        assert await is_refused(api, token)


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "exp"])
async def test_missing_claim(api: AsyncClient, claim: str) -> None:
    assert await is_refused(api, ISSUER.token(**{claim: None}))


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 0},
        {"exp": -(2**70)},
        {"exp": "soon"},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": [NOW + 60]},
        {"nbf": NOW + 3600},
        {"nbf": "later"},
        {"iat": NOW + 3600},
        {"iat": "now"},
        {"iss": "https://attacker.example"},
        {"iss": f"{NAME}/"},
        {"iss": [NAME]},
        {"iss": 7},
        {"aud": "another-service"},
        {"aud": ["another-service"]},
        {"aud": []},
        {"aud": {NAME: 1}},
        {"aud": [NAME, 7]},
    ],
)
async def test_invalid_claim(api: AsyncClient, claims: dict[str, Any]) -> None:
    assert await is_refused(api, ISSUER.token(**claims))


async def test_clock_skew(api: AsyncClient) -> None:
    now = int(time.time())
    assert not await is_refused(api, ISSUER.token(iat=now + 20, nbf=now + 20))
    assert await is_refused(api, ISSUER.token(nbf=now + 60))
    assert await is_refused(api, ISSUER.token(exp=now - 1))


@pytest.mark.parametrize(
    "user_id",
    [
        "",
        " ",
        "\0",
        "alice\0",
        "al\nice",
        "\x7f",
        "\ud800",
        "x" * 256,
        "x" * 5000,
        7,
        True,
        ["a"],
        {},
    ],
)
async def test_hostile_user_id(api: AsyncClient, user_id: Any) -> None:
    assert await is_refused(api, ISSUER.token(sub=user_id))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"7",
        b"\xff\xfe",
        b"[" * 5000,
        b'{"exp":' + b"9" * 5000,
    ],
)
async def test_signed_invalid_payload(api: AsyncClient, payload: bytes) -> None:
    assert await is_refused(api, ISSUER.token_of(payload))


@pytest.mark.parametrize(
    "token", ["", ".", "..", "...", "a.b.c", "e30.e30.", "\xff\xfe", "{}", "x" * 8193, "x" * 60_000]
)
async def test_malformed_token(api: AsyncClient, token: str) -> None:
    headers = {b"Authorization": f"Bearer {token}".encode("latin-1")}
    response = await api.get(WHOAMI, headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token", ')


async def test_long_token_is_refused(api: AsyncClient) -> None:
    assert not await is_refused(api, ISSUER.token(filler="x" * 4000))
    assert await is_refused(api, ISSUER.token(filler="x" * 8000))
    for length, reason in ((8192, "is not valid"), (8193, "is too long")):
        response = await api.get(WHOAMI, headers={"Authorization": f"Bearer {'x' * length}"})
        assert reason in response.headers["WWW-Authenticate"]


async def test_symmetric_key_in_the_key_set(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = b"s" * 32
    jwks = [
        {"kty": "oct", "kid": "shared", "k": encode(secret)},
        {"kty": "oct", "kid": "shared-hs", "alg": "HS256", "k": encode(secret)},
        {"kty": "oct", "kid": "shared-ed", "alg": "EdDSA", "k": encode(secret)},
    ]
    monkeypatch.setattr(ISSUER, "extra_keys", jwks)
    async with whoami_client(app) as api:
        for jwk in jwks:
            token = jwt.encode(ISSUER.claims(), secret, headers={"kid": jwk["kid"]})
            assert await is_refused(api, token)
        assert not await is_refused(api, ISSUER.token())
