"""Attacks on access tokens: RFC 8725, RFC 6750 and OWASP ASVS 5, chapter 9."""

import time
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from pydantic import SecretStr

from app import SLUG
from app.state import get_state
from tests.support.accounts import AUTH, client_with_address, me, new_session
from tests.support.forgery import Forger, decode, encode

NOW = int(time.time())
HOSTILE_IDS = ["", " ", "\0", "\ud800", "0", "-1", "1.0", "x" * 5000, str(2**63), 7, True, [], {}]


@pytest.fixture
async def valid_token(client: AsyncClient) -> str:
    """A valid access token."""
    return str((await new_session(client))["access_token"])


@pytest.fixture
def forger(app: FastAPI, valid_token: str) -> Forger:
    """Signs tokens with the app's secret."""
    return Forger(get_state(app).settings.jwt_secret_key.get_secret_value(), valid_token)


async def is_refused(client: AsyncClient, token: str) -> bool:
    """Return whether a token is refused; the response must be that of RFC 6750."""
    response = await me(client, token)
    if response.status_code == 200:
        return False
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token", ')
    return True


async def test_valid_token(client: AsyncClient, valid_token: str, forger: Forger) -> None:
    header, payload, _ = valid_token.split(".")
    assert decode(header) == {"alg": "HS256", "typ": "at+jwt"}
    assert set(decode(payload)) == {"iss", "aud", "sub", "iat", "exp", "jti", "sid"}
    assert decode(payload)["exp"] - decode(payload)["iat"] == 900
    for token in (valid_token, forger.with_claims(), forger.with_header()):
        assert not await is_refused(client, token)


async def test_tokens_are_unique(client: AsyncClient, valid_token: str) -> None:
    other = (await new_session(client))["access_token"]
    first, second = (decode(token.split(".")[1]) for token in (valid_token, other))
    assert first["jti"] != second["jti"]
    assert first["sid"] != second["sid"]


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
async def test_no_algorithm(client: AsyncClient, forger: Forger, algorithm: str) -> None:
    signed = forger.with_header(alg=algorithm)
    assert await is_refused(client, signed)
    assert await is_refused(client, signed.rpartition(".")[0] + ".")


@pytest.mark.parametrize(
    "algorithm",
    ["HS384", "HS512", "RS256", "ES256", "EdDSA", "hs256", "HS256 ", ["HS256"], {"HS256": 1}, 7],
)
async def test_token_does_not_choose_the_algorithm(
    client: AsyncClient, forger: Forger, algorithm: Any
) -> None:
    assert await is_refused(client, forger.with_header(alg=algorithm))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
async def test_other_algorithm(client: AsyncClient, forger: Forger, algorithm: str) -> None:
    assert await is_refused(client, forger.with_algorithm(algorithm))


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
async def test_invalid_header(client: AsyncClient, forger: Forger, header: dict[str, Any]) -> None:
    assert await is_refused(client, forger.with_header(**header))


@pytest.mark.parametrize("secret", ["", "secret", "k" * 32, "x" * 64])
async def test_other_key(client: AsyncClient, valid_token: str, secret: str) -> None:
    assert await is_refused(client, Forger(secret, valid_token).with_claims())


async def test_key_of_another_process(app: FastAPI, client: AsyncClient, valid_token: str) -> None:
    assert not await is_refused(client, valid_token)
    async with client_with_address(app, jwt_secret_key=SecretStr("k" * 64)) as other:
        assert await is_refused(other, valid_token)


async def test_token_expires_after_it_was_valid(
    client: AsyncClient, valid_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not await is_refused(client, valid_token)
    expires_at = decode(valid_token.split(".")[1])["exp"]
    monkeypatch.setattr("app.auth.tokens.time.time", lambda: expires_at - 0.1)
    assert not await is_refused(client, valid_token)
    monkeypatch.setattr("app.auth.tokens.time.time", lambda: expires_at)
    assert await is_refused(client, valid_token)


async def test_embedded_key(client: AsyncClient, valid_token: str) -> None:
    forger = Forger("k" * 32, valid_token)
    jwk = {"kty": "oct", "alg": "HS256", "k": encode(b"k" * 32)}
    assert await is_refused(client, forger.with_header(jwk=jwk))


async def test_tampered_token(client: AsyncClient, valid_token: str) -> None:
    header, payload, signature = valid_token.split(".")
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
        f"{valid_token} {valid_token}",
        f"{valid_token},{valid_token}",
    ):
        assert await is_refused(client, token)


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "iat", "exp", "jti", "sid"])
async def test_missing_claim(client: AsyncClient, forger: Forger, claim: str) -> None:
    assert await is_refused(client, forger.with_claims(**{claim: None}))


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
async def test_invalid_claim(client: AsyncClient, forger: Forger, claims: dict[str, Any]) -> None:
    assert await is_refused(client, forger.with_claims(**claims))


@pytest.mark.parametrize("claim", ["sub", "sid"])
@pytest.mark.parametrize("value", HOSTILE_IDS)
async def test_hostile_id(client: AsyncClient, forger: Forger, claim: str, value: Any) -> None:
    assert await is_refused(client, forger.with_claims(**{claim: value}))


@pytest.mark.parametrize("claim", ["sub", "sid"])
@pytest.mark.parametrize("form", ["{} ", " {}", "+{}", "0{}", "urn:uuid:{}", "{{{}}}", "{}\n"])
async def test_id_in_non_canonical_form(
    client: AsyncClient, forger: Forger, claim: str, form: str
) -> None:
    assert await is_refused(
        client, forger.with_claims(**{claim: form.format(forger.claims[claim])})
    )


async def test_session_of_another_user(client: AsyncClient, forger: Forger) -> None:
    other = (await new_session(client, "dave@example.com"))["access_token"]
    other_claims = decode(other.split(".")[1])
    assert await is_refused(client, forger.with_claims(sub=other_claims["sub"]))
    assert await is_refused(client, forger.with_claims(sid=other_claims["sid"]))


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
async def test_signed_invalid_payload(client: AsyncClient, forger: Forger, payload: bytes) -> None:
    assert await is_refused(client, forger.with_payload(payload))


@pytest.mark.parametrize(
    "token", ["", ".", "..", "...", "a.b.c", "e30.e30.", "\xff\xfe", "{}", "x" * 8193, "x" * 60_000]
)
async def test_malformed_token(client: AsyncClient, token: str) -> None:
    headers = {b"Authorization": f"Bearer {token}".encode("latin-1")}
    response = await client.get(f"{AUTH}/me", headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token", ')


async def test_long_token_is_refused(client: AsyncClient, forger: Forger) -> None:
    assert not await is_refused(client, forger.with_claims(filler="x" * 4000))
    assert await is_refused(client, forger.with_claims(filler="x" * 8000))
    for length, reason in ((8192, "is not valid"), (8193, "is too long")):
        assert reason in (await me(client, "x" * length)).headers["WWW-Authenticate"]


async def test_token_is_only_read_from_a_bearer_header(
    client: AsyncClient, valid_token: str
) -> None:
    for options in (
        {"params": {"access_token": valid_token, "token": valid_token}},
        {"headers": {"Cookie": f"access_token={valid_token}; session={valid_token}"}},
        {"headers": {"X-Access-Token": valid_token}},
        {"headers": {"Authorization": valid_token}},
        {"headers": {"Authorization": f"Token {valid_token}"}},
        {"headers": {"Authorization": f"Basic {valid_token}"}},
        {},
    ):
        response = await client.get(f"{AUTH}/me", **options)  # type: ignore[arg-type]
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_two_authorization_headers_are_refused(client: AsyncClient, valid_token: str) -> None:
    for other in (f"Bearer {valid_token}", "Bearer x", "Basic x", ""):
        headers = [("Authorization", f"Bearer {valid_token}"), ("Authorization", other)]
        response = await client.get(f"{AUTH}/me", headers=headers)
        assert response.status_code == 401
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


async def test_scheme_is_case_insensitive(client: AsyncClient, valid_token: str) -> None:
    for scheme in ("bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {valid_token}"}
        assert (await client.get(f"{AUTH}/me", headers=headers)).status_code == 200


async def test_refusal_does_not_repeat_the_token(client: AsyncClient, forger: Forger) -> None:
    for token in (forger.with_claims(sub="<hostile>"), forger.with_header(kid="<hostile>")):
        response = await me(client, token)
        assert "hostile" not in response.text + str(response.headers)
        assert token not in response.text
