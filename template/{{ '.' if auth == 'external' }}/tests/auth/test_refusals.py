"""Why a token is refused: the log says it, the answer does not."""

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
from tests.support.callers import WHO, ask, who_app
from tests.support.identity import ISSUER
from tests.support.issuer import NAME, FakeIssuer

# Stands in every token, and must stand in no line of the log.
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
async def who(app: FastAPI, caplog: pytest.LogCaptureFixture) -> AsyncIterator[AsyncClient]:
    """A client of an app that returns the current user; the log is captured."""
    async with who_app(app) as client:
        caplog.set_level(logging.DEBUG)
        yield client


def reasons(caplog: pytest.LogCaptureFixture, token: str = MARK) -> list[str]:
    """Return the reasons that were logged, and look for what must not be there."""
    for record in caplog.records:
        for part in (MARK, *(part for part in token.split(".") if len(part) > 8)):
            assert part not in record.getMessage()
            assert part not in str(vars(record))
    lines = [record for record in caplog.records if record.name == "app.auth"]
    for line in lines:
        assert line.levelno == logging.INFO
        assert line.getMessage().startswith(f"token refused: {vars(line)['reason']}")
        assert "\n" not in line.getMessage()
    caplog.clear()
    return [vars(line)["reason"] for line in lines]


def shown(answer: Response) -> tuple[Any, ...]:
    """Return all of an answer but what differs between any two."""
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    body = answer.json()
    body.pop("timestamp", None)
    return answer.status_code, headers, body


async def refused(who: AsyncClient, token: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the reasons of a refusal, which answers as any other."""
    unsigned = shown(await ask(who, "x"))
    caplog.clear()
    answer = await ask(who, token)
    assert shown(answer) == unsigned
    return reasons(caplog, token)


@pytest.mark.parametrize(("reason", "claims"), CLAIMS)
async def test_claims(
    who: AsyncClient, caplog: pytest.LogCaptureFixture, reason: str, claims: dict[str, Any]
) -> None:
    token = ISSUER.token(**{"sub": MARK, "name": MARK, **claims})
    assert await refused(who, token, caplog) == [reason]


@pytest.mark.parametrize(("reason", "header"), HEADERS)
async def test_header(
    who: AsyncClient, caplog: pytest.LogCaptureFixture, reason: str, header: dict[str, Any]
) -> None:
    assert await refused(who, ISSUER.token(header, sub=MARK), caplog) == [reason]


@pytest.mark.parametrize("text", TEXTS)
async def test_what_is_no_token(
    who: AsyncClient, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    assert await refused(who, text, caplog) == ["malformed"]


async def test_key_of_somebody_else(who: AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    assert await refused(who, FakeIssuer().token(sub=MARK), caplog) == ["signature"]


async def test_no_key_id(
    app: FastAPI, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = FakeIssuer()
    issuer.rotate("second")
    monkeypatch.setattr(keys, "new_client", issuer.client)
    async with who_app(app) as who:
        caplog.set_level(logging.DEBUG)
        token = issuer.token({"kid": None}, sub=MARK)
        assert await refused(who, token, caplog) == ["no_key_id"]


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
    who: AsyncClient, caplog: pytest.LogCaptureFixture, reason: str, headers: list[str]
) -> None:
    caplog.clear()
    answer = await who.get(WHO, headers=[("Authorization", value) for value in headers])
    assert answer.status_code == 401
    assert MARK not in answer.text + str(answer.headers)
    assert reasons(caplog) == [reason]


async def test_good_token(who: AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    assert (await ask(who, ISSUER.token(sub=MARK))).status_code == 200
    assert reasons(caplog) == []


async def test_settings_are_named(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    changes = {"jwt_issuer": "https://it.example", "jwt_user_id_claim": "uid"}
    async with who_app(app, **changes) as who:
        caplog.set_level(logging.INFO)
        cases: list[dict[str, Any]] = [
            {},
            {"iss": "https://it.example", "aud": MARK, "uid": "ada"},
            {"iss": "https://it.example", "uid": "ada", "exp": NOW - 10},
            {"iss": "https://it.example", "uid": ""},
            {"iss": "https://it.example", "uid": None},
        ]
        for claims in cases:
            await ask(who, ISSUER.token(**{"uid": "ada", **claims}))
        await ask(who, ISSUER.token({"alg": "HS256"}))
    async with who_app(app, jwks_url=None, better_auth_secret=SecretStr(SECRET)) as who:
        await ask(who, ISSUER.token())
    lines = [line.getMessage() for line in caplog.records if line.name == "app.auth"]
    assert lines == [
        "token refused: issuer (JWT_ISSUER is 'https://it.example')",
        f"token refused: audience (JWT_AUDIENCE is '{NAME}')",
        "token refused: expired (by the clock of this server)",
        "token refused: user_id (no id in the claim 'uid')",
        "token refused: missing_claim (uid)",
        "token refused: algorithm (not that of a key at JWKS_URL)",
        "token refused: algorithm (not HS256, which BETTER_AUTH_SECRET requires)",
    ]


async def test_shared_secret(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    changes = {"jwks_url": None, "better_auth_secret": SecretStr(SECRET)}
    async with who_app(app, **changes) as who:
        caplog.set_level(logging.DEBUG)
        for reason, token in (
            ("signature", jwt.encode(ISSUER.claims(sub=MARK), SECRET[1:])),
            ("algorithm", jwt.encode(ISSUER.claims(sub=MARK), SECRET, "HS384")),
            ("algorithm", ISSUER.token(sub=MARK)),
            ("issuer", jwt.encode(ISSUER.claims(sub=MARK, iss=MARK), SECRET)),
            ("audience", jwt.encode(ISSUER.claims(sub=MARK, aud=MARK), SECRET)),
            ("expired", jwt.encode(ISSUER.claims(sub=MARK, exp=NOW - 10), SECRET)),
        ):
            assert await refused(who, token, caplog) == [reason]
        assert SECRET not in caplog.text
