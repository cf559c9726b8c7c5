"""Attacks on access tokens: RFC 8725, RFC 6750 and OWASP ASVS 5, chapter 9."""

import time
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app import SLUG
from app.state import get_state
from tests.support.accounts import AUTH, me, new_session
from tests.support.forgery import Forger, decode, encode

NOW = int(time.time())
HOSTILE_IDS = ["", " ", "\0", "\ud800", "0", "-1", "1.0", "x" * 5000, str(2**63), 7, True, [], {}]


@pytest.fixture
async def good(client: AsyncClient) -> str:
    """An access token that holds."""
    return str((await new_session(client))["access_token"])


@pytest.fixture
def forger(app: FastAPI, good: str) -> Forger:
    """Somebody who has got hold of the signing secret."""
    return Forger(get_state(app).settings.jwt_secret_key.get_secret_value(), good)


async def refused(client: AsyncClient, token: str) -> bool:
    """Tell whether a token is refused in the way of RFC 6750."""
    answer = await me(client, token)
    if answer.status_code == 200:
        return False
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token", ')
    return True


async def test_good_token(client: AsyncClient, good: str, forger: Forger) -> None:
    header, payload, _ = good.split(".")
    assert decode(header) == {"alg": "HS256", "typ": "at+jwt"}
    assert set(decode(payload)) == {"iss", "aud", "sub", "iat", "exp", "jti", "sid"}
    assert decode(payload)["exp"] - decode(payload)["iat"] == 900
    for token in (good, forger.with_claims(), forger.with_header()):
        assert not await refused(client, token)


async def test_tokens_are_unique(client: AsyncClient, good: str) -> None:
    other = (await new_session(client))["access_token"]
    first, second = (decode(token.split(".")[1]) for token in (good, other))
    assert first["jti"] != second["jti"]
    assert first["sid"] != second["sid"]


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
async def test_no_algorithm(client: AsyncClient, forger: Forger, algorithm: str) -> None:
    signed = forger.with_header(alg=algorithm)
    assert await refused(client, signed)
    assert await refused(client, signed.rpartition(".")[0] + ".")


@pytest.mark.parametrize(
    "algorithm",
    ["HS384", "HS512", "RS256", "ES256", "EdDSA", "hs256", "HS256 ", ["HS256"], {"HS256": 1}, 7],
)
async def test_algorithm_is_not_the_tokens_choice(
    client: AsyncClient, forger: Forger, algorithm: Any
) -> None:
    assert await refused(client, forger.with_header(alg=algorithm))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
async def test_other_algorithm(client: AsyncClient, forger: Forger, algorithm: str) -> None:
    assert await refused(client, forger.with_algorithm(algorithm))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": None},
        {"typ": None},
        {"typ": "JWT"},
        {"typ": "refresh+jwt"},
        {"typ": ["at+jwt"]},
        {"cty": "JWT"},
        {"crit": ["unknown"], "unknown": 1},
        {"crit": ["b64"], "b64": True},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"kid": "../../dev/null"},
        {"kid": "' OR 1=1 --"},
        {"kid": ["a"]},
        {"jwk": {"kty": "oct", "k": encode(b"k" * 32)}},
        {"jku": "https://attacker.example/jwks.json"},
        {"x5u": "https://attacker.example/cert.pem"},
        {"x5c": ["MIIB"]},
        {"zip": "DEF"},
    ],
)
async def test_header(client: AsyncClient, forger: Forger, header: dict[str, Any]) -> None:
    assert await refused(client, forger.with_header(**header))


@pytest.mark.parametrize("secret", ["", "secret", "k" * 32, "x" * 64])
async def test_other_key(client: AsyncClient, good: str, secret: str) -> None:
    assert await refused(client, Forger(secret, good).with_claims())


async def test_embedded_key(client: AsyncClient, good: str) -> None:
    forger = Forger("k" * 32, good)
    jwk = {"kty": "oct", "alg": "HS256", "k": encode(b"k" * 32)}
    assert await refused(client, forger.with_header(jwk=jwk))


async def test_tampering(client: AsyncClient, good: str) -> None:
    header, payload, signature = good.split(".")
    other = ("A" if signature[0] != "A" else "B") + signature[1:]
    for token in (
        f"{header}.{payload}.{other}",
        f"{header}.{payload}.{signature[:-4]}",
        f"{header}.{payload}.",
        f"{header}.{payload}",
        f"{header}.{payload[:-4]}.{signature}",
        f"{header}..{signature}",
        f"{header}.{payload}.{signature}.{signature}",
        f"{header}.{payload}.{signature}===",
        f"{good} {good}",
        f"{good},{good}",
    ):
        assert await refused(client, token)


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "iat", "exp", "jti", "sid"])
async def test_missing_claim(client: AsyncClient, forger: Forger, claim: str) -> None:
    assert await refused(client, forger.with_claims(**{claim: None}))


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW - 1},
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
        {"jti": 7},
        {"iss": "https://attacker.example"},
        {"iss": SLUG.upper()},
        {"iss": [SLUG]},
        {"iss": 7},
        {"aud": "another-service"},
        {"aud": [SLUG, "another-service"]},
        {"aud": [SLUG]},
        {"aud": {"a": 1}},
    ],
)
async def test_claim(client: AsyncClient, forger: Forger, claims: dict[str, Any]) -> None:
    assert await refused(client, forger.with_claims(**claims))


@pytest.mark.parametrize("claim", ["sub", "sid"])
@pytest.mark.parametrize("value", HOSTILE_IDS)
async def test_hostile_id(client: AsyncClient, forger: Forger, claim: str, value: Any) -> None:
    assert await refused(client, forger.with_claims(**{claim: value}))


@pytest.mark.parametrize("claim", ["sub", "sid"])
@pytest.mark.parametrize("form", ["{} ", " {}", "+{}", "0{}", "urn:uuid:{}", "{{{}}}", "{}\n"])
async def test_id_in_another_form(
    client: AsyncClient, forger: Forger, claim: str, form: str
) -> None:
    assert await refused(client, forger.with_claims(**{claim: form.format(forger.claims[claim])}))


async def test_session_of_another_user(client: AsyncClient, forger: Forger) -> None:
    other = (await new_session(client, "dave@example.com"))["access_token"]
    stranger = decode(other.split(".")[1])
    assert await refused(client, forger.with_claims(sub=stranger["sub"]))
    assert await refused(client, forger.with_claims(sid=stranger["sid"]))


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
async def test_signed_nonsense(client: AsyncClient, forger: Forger, payload: bytes) -> None:
    assert await refused(client, forger.with_payload(payload))


@pytest.mark.parametrize(
    "token", ["", ".", "..", "...", "a.b.c", "e30.e30.", "\xff\xfe", "{}", "x" * 8193, "x" * 60_000]
)
async def test_what_is_no_token(client: AsyncClient, token: str) -> None:
    headers = {b"Authorization": f"Bearer {token}".encode("latin-1")}
    answer = await client.get(f"{AUTH}/me", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token", ')


async def test_long_token_is_not_read(client: AsyncClient, forger: Forger) -> None:
    assert not await refused(client, forger.with_claims(filler="x" * 4000))
    assert await refused(client, forger.with_claims(filler="x" * 8000))
    for length, reason in ((8192, "is not valid"), (8193, "is too long")):
        assert reason in (await me(client, "x" * length)).headers["WWW-Authenticate"]


async def test_token_elsewhere(client: AsyncClient, good: str) -> None:
    for options in (
        {"params": {"access_token": good, "token": good}},
        {"headers": {"Cookie": f"access_token={good}; session={good}"}},
        {"headers": {"X-Access-Token": good}},
        {"headers": {"Authorization": good}},
        {"headers": {"Authorization": f"Token {good}"}},
        {"headers": {"Authorization": f"Basic {good}"}},
        {},
    ):
        answer = await client.get(f"{AUTH}/me", **options)  # type: ignore[arg-type]
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_two_authorization_headers(client: AsyncClient, good: str) -> None:
    for other in (f"Bearer {good}", "Bearer x", "Basic x", ""):
        headers = [("Authorization", f"Bearer {good}"), ("Authorization", other)]
        answer = await client.get(f"{AUTH}/me", headers=headers)
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


async def test_name_of_the_scheme(client: AsyncClient, good: str) -> None:
    for scheme in ("bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {good}"}
        assert (await client.get(f"{AUTH}/me", headers=headers)).status_code == 200


async def test_refusal_repeats_nothing(client: AsyncClient, forger: Forger) -> None:
    for token in (forger.with_claims(sub="<hostile>"), forger.with_header(kid="<hostile>")):
        answer = await me(client, token)
        assert "hostile" not in answer.text + str(answer.headers)
        assert token not in answer.text
