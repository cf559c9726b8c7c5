"""The current user: what a request must carry, with either source of keys."""

import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from pydantic import SecretStr

from tests.support.callers import WHO, ask, is_refused, who_app
from tests.support.identity import ISSUER
from tests.support.issuer import NAME

SECRET = secrets.token_hex(32)
SHARED = {"jwks_url": None, "better_auth_secret": SecretStr(SECRET)}
UNCHECKED = {**SHARED, "jwt_issuer": None, "jwt_audience": None}


@pytest.fixture
async def who(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client of an app that returns the current user."""
    async with who_app(app) as client:
        yield client


def signed(algorithm: str = "HS256", secret: str = SECRET, **claims: Any) -> str:
    """Sign with a shared secret."""
    return jwt.encode(ISSUER.claims(**claims), secret, algorithm)


@pytest.mark.parametrize("user_id", ["aLiCe", "alice", "x" * 255, "user|4-5_6@7", "ü/é 🔑", "0"])
async def test_user_id_is_the_subject(who: AsyncClient, user_id: str) -> None:
    answer = await ask(who, ISSUER.token(sub=user_id))
    assert answer.status_code == 200
    assert answer.json() == user_id


async def test_user_id_from_another_claim(app: FastAPI) -> None:
    async with who_app(app, jwt_user_id_claim="uid") as who:
        for user_id in ("bob", "7", 7, 0, -1, 2**70):
            answer = await ask(who, ISSUER.token(uid=user_id))
            assert answer.status_code == 200
            assert answer.json() == str(user_id)
        for no_id in (None, True, False, 7.0, 7.5, "", 10**300, ["bob"], {"id": "bob"}):
            assert await is_refused(who, ISSUER.token(uid=no_id))


@pytest.mark.parametrize("subject", [None, 42, 4.2, True, "", "x" * 300, ["a"], {}])
async def test_subject_is_free_where_another_claim_names_the_user(
    app: FastAPI, subject: Any
) -> None:
    async with who_app(app, jwt_user_id_claim="uid") as who:
        # An id of the token that is a number says nothing about the user either.
        claims = {**ISSUER.claims(uid="bob", jti=7), "sub": subject}
        answer = await ask(who, ISSUER.token_of(json.dumps(claims).encode()))
        assert answer.status_code == 200
        assert answer.json() == "bob"
        assert (await ask(who, ISSUER.token(uid="bob", sub=None))).json() == "bob"


async def test_audience_among_others(who: AsyncClient) -> None:
    assert not await is_refused(who, ISSUER.token(aud=["another", NAME]))


@pytest.mark.parametrize("token_type", ["JWT", "jwt", "at+jwt", "application/at+jwt"])
async def test_usual_types(who: AsyncClient, token_type: str) -> None:
    assert not await is_refused(who, ISSUER.token({"typ": token_type}))


async def test_clocks_that_differ(who: AsyncClient) -> None:
    soon = ISSUER.claims()["iat"] + 5
    assert not await is_refused(who, ISSUER.token(iat=soon, nbf=soon))


async def test_token_elsewhere(who: AsyncClient) -> None:
    token = ISSUER.token()
    cases: list[dict[str, Any]] = [
        {},
        {"params": {"access_token": token, "token": token}},
        {"headers": {"Cookie": f"access_token={token}; better-auth.session_token={token}"}},
        {"headers": {"X-Access-Token": token}},
        {"headers": {"Authorization": token}},
        {"headers": {"Authorization": f"Token {token}"}},
        {"headers": {"Authorization": f"Basic {token}"}},
    ]
    for options in cases:
        answer = await who.get(WHO, **options)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_two_authorization_headers(who: AsyncClient) -> None:
    good = f"Bearer {ISSUER.token()}"
    for other in (good, "Bearer x", "Basic x", ""):
        answer = await who.get(WHO, headers=[("Authorization", good), ("Authorization", other)])
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


async def test_name_of_the_scheme(who: AsyncClient) -> None:
    for scheme in ("bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {ISSUER.token()}"}
        assert (await who.get(WHO, headers=headers)).status_code == 200


async def test_refusal_repeats_nothing(who: AsyncClient) -> None:
    for token in (ISSUER.token(sub="<hostile>\0"), ISSUER.token({"kid": "<hostile>"})):
        answer = await ask(who, token)
        assert answer.status_code == 401
        assert "hostile" not in answer.text + str(answer.headers)


async def test_shared_secret(app: FastAPI) -> None:
    async with who_app(app, **SHARED) as who:
        assert (await ask(who, signed())).json() == "aLiCe"
        for token in (
            signed(secret=SECRET[::-1]),
            signed("HS384"),
            signed("HS512"),
            signed(exp=1),
            signed(exp=None),
            signed(sub=None),
            signed(aud="another"),
            signed(aud=None),
            signed(iss="https://attacker.example"),
            signed(iss=None),
            ISSUER.token(),
        ):
            assert await is_refused(who, token)


async def test_shared_secret_with_no_issuer_and_no_audience(app: FastAPI) -> None:
    async with who_app(app, **UNCHECKED) as who:
        for claims in ({}, {"iss": None, "aud": None}, {"iss": "x", "aud": "y"}):
            assert not await is_refused(who, signed(**claims))
        assert await is_refused(who, signed(exp=None))


async def test_session_cookie_is_no_token(app: FastAPI, who: AsyncClient) -> None:
    header = {"typ": "better-auth.session-cache+jwt"}
    assert await is_refused(who, ISSUER.token(header))
    async with who_app(app, **UNCHECKED) as with_secret:
        token = jwt.encode(ISSUER.claims(), SECRET, headers=header)
        assert await is_refused(with_secret, token)


async def test_openapi_names_the_scheme(app: FastAPI) -> None:
    schemes = app.openapi()["components"]["securitySchemes"]
    assert schemes == {"HTTPBearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
