"""Why a token is refused: the log has the reason, the response does not."""

import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from pydantic import SecretStr

from app.auth import keys
from tests.support.callers import WHOAMI, get_whoami, whoami_client
from tests.support.identity import ISSUER
from tests.support.issuer import NAME, FakeIssuer

# A part of every token, which no line of the log may contain.
MARK = "Mallory"
NOW = int(time.time())
SECRET = "k" * 64

CLAIMS: list[tuple[str, dict[str, Any]]] = [
    ("issuer", {"iss": f"https://{MARK}.example"}),
    ("issuer", {"iss": f"{NAME}/"}),
    ("issuer", {"iss": [NAME, MARK]}),
    ("audience", {"aud": MARK}),
    ("audience", {"aud": [MARK, f"x\n{MARK}"]}),
    ("audience", {"aud": {NAME: MARK}}),
    ("expired", {"exp": NOW - 10}),
    ("expired", {"exp": 0}),
    ("not_yet_valid", {"nbf": NOW + 3600}),
    ("issued_in_future", {"iat": NOW + 3600}),
    ("missing_claim", {"iss": None}),
    ("missing_claim", {"aud": None}),
    ("missing_claim", {"sub": None}),
    ("missing_claim", {"exp": None}),
    ("malformed", {"exp": MARK}),
    ("malformed", {"nbf": MARK}),
    ("malformed", {"iat": [MARK]}),
    ("user_id", {"sub": f"{MARK}\nINFO all is well"}),
    ("user_id", {"sub": MARK * 40}),
    ("user_id", {"sub": [MARK]}),
    ("user_id", {"sub": 7}),
    ("user_id", {"sub": True}),
    ("user_id", {"sub": ""}),
]
HEADERS: list[tuple[str, dict[str, Any]]] = [
    ("type", {"typ": f"{MARK}+jwt"}),
    ("type", {"typ": [MARK]}),
    ("header", {"crit": [MARK], MARK: 1}),
    ("header", {"b64": True}),
    ("header", {"kid": [MARK]}),
    ("algorithm", {"alg": None}),
    ("algorithm", {"alg": "none"}),
    ("algorithm", {"alg": "HS256"}),
    ("algorithm", {"alg": "ES256"}),
    ("algorithm", {"alg": f"{MARK}\n"}),
    ("unknown_key", {"kid": f"{MARK}\nINFO all is well"}),
]
TEXTS = ["", ".", "a.b.c", f"{MARK}.{MARK}.{MARK}", MARK, f"{MARK}\t{MARK}"]


@pytest.fixture
async def api(app: FastAPI, caplog: pytest.LogCaptureFixture) -> AsyncIterator[AsyncClient]:
    """A client of an app that returns the current user; the log is captured."""
    async with whoami_client(app) as client:
        caplog.set_level(logging.DEBUG)
        yield client


def reasons(caplog: pytest.LogCaptureFixture, token: str = MARK) -> list[str]:
    """Return the logged reasons; check that no record contains a part of the token."""
    for record in caplog.records:
        for part in (MARK, *(part for part in token.split(".") if len(part) > 8)):
            assert part not in record.getMessage()
            assert part not in str(vars(record))
    lines = [record for record in caplog.records if record.name == "app.auth"]
    for line in lines:
        assert line.levelno == logging.INFO
        assert line.getMessage().startswith(f"token rejected: {vars(line)['reason']}")
        assert "\n" not in line.getMessage()
    caplog.clear()
    return [vars(line)["reason"] for line in lines]


def comparable(response: Response) -> tuple[Any, ...]:
    """Return a response without the parts that differ between any two responses."""
    headers = {name: value for name, value in response.headers.items() if name != "x-request-id"}
    body = response.json()
    body.pop("timestamp", None)
    return response.status_code, headers, body


async def refusal_reasons(
    api: AsyncClient, token: str, caplog: pytest.LogCaptureFixture
) -> list[str]:
    """Return the logged reasons for refusing a token; check that the response gives none."""
    other = comparable(await get_whoami(api, "x"))
    caplog.clear()
    response = await get_whoami(api, token)
    assert comparable(response) == other
    return reasons(caplog, token)


@pytest.mark.parametrize(("reason", "claims"), CLAIMS)
async def test_invalid_claim(
    api: AsyncClient, caplog: pytest.LogCaptureFixture, reason: str, claims: dict[str, Any]
) -> None:
    token = ISSUER.token(**{"sub": MARK, "name": MARK, **claims})
    assert await refusal_reasons(api, token, caplog) == [reason]


@pytest.mark.parametrize(("reason", "header"), HEADERS)
async def test_invalid_header(
    api: AsyncClient, caplog: pytest.LogCaptureFixture, reason: str, header: dict[str, Any]
) -> None:
    assert await refusal_reasons(api, ISSUER.token(header, sub=MARK), caplog) == [reason]


@pytest.mark.parametrize("text", TEXTS)
async def test_malformed_token(
    api: AsyncClient, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    assert await refusal_reasons(api, text, caplog) == ["malformed"]


async def test_key_of_another_issuer(api: AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    assert await refusal_reasons(api, FakeIssuer().token(sub=MARK), caplog) == ["signature"]


async def test_no_key_id(
    app: FastAPI, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = FakeIssuer()
    issuer.rotate("second")
    monkeypatch.setattr(keys, "new_client", issuer.client)
    async with whoami_client(app) as api:
        caplog.set_level(logging.DEBUG)
        token = issuer.token({"kid": None}, sub=MARK)
        assert await refusal_reasons(api, token, caplog) == ["no_key_id"]


@pytest.mark.parametrize(
    ("reason", "headers"),
    [
        ("missing", []),
        ("scheme", [""]),
        ("scheme", [MARK]),
        ("scheme", [f"Basic {MARK}"]),
        ("several_headers", [f"Bearer {MARK}", f"Basic {MARK}"]),
        ("too_long", [f"Bearer {MARK * 2000}"]),
    ],
)
async def test_authorization_header(
    api: AsyncClient, caplog: pytest.LogCaptureFixture, reason: str, headers: list[str]
) -> None:
    caplog.clear()
    response = await api.get(WHOAMI, headers=[("Authorization", value) for value in headers])
    assert response.status_code == 401
    assert MARK not in response.text + str(response.headers)
    assert reasons(caplog) == [reason]


async def test_valid_token_logs_no_reason(
    api: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    token = ISSUER.token(sub="reader", name=MARK)
    assert (await get_whoami(api, token)).status_code == 200
    assert reasons(caplog, token) == []


async def test_log_names_settings_but_not_values_of_tokens(
    app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    changes = {"jwt_issuer": "https://it.example", "jwt_user_id_claim": "uid"}
    async with whoami_client(app, **changes) as api:
        caplog.set_level(logging.INFO)
        cases: list[dict[str, Any]] = [
            {},
            {"iss": "https://it.example", "aud": MARK, "uid": "ada"},
            {"iss": "https://it.example", "uid": "ada", "exp": NOW - 10},
            {"iss": "https://it.example", "uid": ""},
            {"iss": "https://it.example", "uid": None},
        ]
        for claims in cases:
            await get_whoami(api, ISSUER.token(**{"uid": "ada", **claims}))
        await get_whoami(api, ISSUER.token({"alg": "HS256"}))
    async with whoami_client(app, jwks_url=None, better_auth_secret=SecretStr(SECRET)) as api:
        await get_whoami(api, ISSUER.token())
    lines = [line.getMessage() for line in caplog.records if line.name == "app.auth"]
    assert lines == [
        "token rejected: issuer (JWT_ISSUER is 'https://it.example')",
        f"token rejected: audience (JWT_AUDIENCE is '{NAME}')",
        "token rejected: expired (by the clock of this server)",
        "token rejected: user_id (no id in the claim 'uid')",
        "token rejected: missing_claim (uid)",
        "token rejected: algorithm (not that of a key at JWKS_URL)",
        "token rejected: algorithm (not HS256, which BETTER_AUTH_SECRET requires)",
    ]


async def test_shared_secret(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    changes = {"jwks_url": None, "better_auth_secret": SecretStr(SECRET)}
    async with whoami_client(app, **changes) as api:
        caplog.set_level(logging.DEBUG)
        for reason, token in (
            ("signature", jwt.encode(ISSUER.claims(sub=MARK), SECRET[1:])),
            ("algorithm", jwt.encode(ISSUER.claims(sub=MARK), SECRET, "HS384")),
            ("algorithm", ISSUER.token(sub=MARK)),
            ("issuer", jwt.encode(ISSUER.claims(sub=MARK, iss=MARK), SECRET)),
            ("audience", jwt.encode(ISSUER.claims(sub=MARK, aud=MARK), SECRET)),
            ("expired", jwt.encode(ISSUER.claims(sub=MARK, exp=NOW - 10), SECRET)),
        ):
            assert await refusal_reasons(api, token, caplog) == [reason]
        assert SECRET not in caplog.text
