"""The current user: accepted and refused tokens, with a JWKS and with a shared secret."""

import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from pydantic import SecretStr

from tests.support.callers import WHOAMI, get_whoami, is_refused, whoami_client
from tests.support.identity import ISSUER
from tests.support.issuer import NAME

SECRET = secrets.token_hex(32)
SHARED = {"jwks_url": None, "better_auth_secret": SecretStr(SECRET)}
UNCHECKED = {**SHARED, "jwt_issuer": None, "jwt_audience": None}


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client of an app that returns the current user."""
    async with whoami_client(app) as client:
        yield client


def signed(algorithm: str = "HS256", secret: str = SECRET, **claims: Any) -> str:
    """Sign a token with a shared secret."""
    return jwt.encode(ISSUER.claims(**claims), secret, algorithm)


@pytest.mark.parametrize("user_id", ["aLiCe", "alice", "x" * 255, "user|4-5_6@7", "ü/é 🔑", "0"])
async def test_user_id_is_the_subject(api: AsyncClient, user_id: str) -> None:
    response = await get_whoami(api, ISSUER.token(sub=user_id))
    assert response.status_code == 200
    assert response.json() == user_id


async def test_user_id_from_the_configured_claim(app: FastAPI) -> None:
    async with whoami_client(app, jwt_user_id_claim="uid") as api:
        for user_id in ("bob", "7", 7, 0, -1, 2**70):
            response = await get_whoami(api, ISSUER.token(uid=user_id))
            assert response.status_code == 200
            assert response.json() == str(user_id)
        for invalid_id in (None, True, False, 7.0, 7.5, "", 10**300, ["bob"], {"id": "bob"}):
            assert await is_refused(api, ISSUER.token(uid=invalid_id))


@pytest.mark.parametrize("subject", [None, 42, 4.2, True, "", "x" * 300, ["a"], {}])
async def test_subject_is_ignored_if_another_claim_is_configured(
    app: FastAPI, subject: Any
) -> None:
    async with whoami_client(app, jwt_user_id_claim="uid") as api:
        # A `jti` that is a number is ignored too.
        claims = {**ISSUER.claims(uid="bob", jti=7), "sub": subject}
        response = await get_whoami(api, ISSUER.token_of(json.dumps(claims).encode()))
        assert response.status_code == 200
        assert response.json() == "bob"
        assert (await get_whoami(api, ISSUER.token(uid="bob", sub=None))).json() == "bob"


async def test_audience_may_be_one_of_several(api: AsyncClient) -> None:
    assert not await is_refused(api, ISSUER.token(aud=["another", NAME]))


@pytest.mark.parametrize("token_type", ["JWT", "jwt", "at+jwt", "application/at+jwt"])
async def test_accepted_token_types(api: AsyncClient, token_type: str) -> None:
    assert not await is_refused(api, ISSUER.token({"typ": token_type}))


async def test_clock_skew_is_tolerated(api: AsyncClient) -> None:
    soon = ISSUER.claims()["iat"] + 5
    assert not await is_refused(api, ISSUER.token(iat=soon, nbf=soon))


async def test_token_is_only_read_from_a_bearer_header(api: AsyncClient) -> None:
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
        response = await api.get(WHOAMI, **options)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_two_authorization_headers_are_refused(api: AsyncClient) -> None:
    good = f"Bearer {ISSUER.token()}"
    for other in (good, "Bearer x", "Basic x", ""):
        response = await api.get(
            WHOAMI, headers=[("Authorization", good), ("Authorization", other)]
        )
        assert response.status_code == 401
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


async def test_scheme_is_case_insensitive(api: AsyncClient) -> None:
    for scheme in ("bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {ISSUER.token()}"}
        assert (await api.get(WHOAMI, headers=headers)).status_code == 200


async def test_refusal_does_not_repeat_the_token(api: AsyncClient) -> None:
    for token in (ISSUER.token(sub="<hostile>\0"), ISSUER.token({"kid": "<hostile>"})):
        response = await get_whoami(api, token)
        assert response.status_code == 401
        assert "hostile" not in response.text + str(response.headers)


async def test_shared_secret(app: FastAPI) -> None:
    async with whoami_client(app, **SHARED) as api:
        assert (await get_whoami(api, signed())).json() == "aLiCe"
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
            assert await is_refused(api, token)


async def test_shared_secret_with_no_issuer_and_no_audience(app: FastAPI) -> None:
    async with whoami_client(app, **UNCHECKED) as api:
        for claims in ({}, {"iss": None, "aud": None}, {"iss": "x", "aud": "y"}):
            assert not await is_refused(api, signed(**claims))
        assert await is_refused(api, signed(exp=None))


async def test_session_cookie_is_refused_as_a_token(app: FastAPI, api: AsyncClient) -> None:
    header = {"typ": "better-auth.session-cache+jwt"}
    assert await is_refused(api, ISSUER.token(header))
    async with whoami_client(app, **UNCHECKED) as with_secret:
        token = jwt.encode(ISSUER.claims(), SECRET, headers=header)
        assert await is_refused(with_secret, token)


async def test_openapi_names_the_scheme(app: FastAPI) -> None:
    schemes = app.openapi()["components"]["securitySchemes"]
    assert schemes == {"HTTPBearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
