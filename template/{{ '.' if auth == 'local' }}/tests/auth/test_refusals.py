"""Why a token is refused: the log says it, the answer does not."""

import logging
import time
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response

from app.state import get_state
from tests.support.accounts import AUTH, bearer, me, new_session, refresh
from tests.support.forgery import Forger

# Stands in every token, and must stand in no line of the log.
MARK = "Mallory"
NOW = int(time.time())

CLAIMS: list[tuple[str, dict[str, Any]]] = [
    ("issuer", {"iss": MARK}),
    ("issuer", {"iss": [MARK]}),
    ("audience", {"aud": MARK}),
    ("audience", {"aud": [MARK]}),
    ("expired", {"exp": NOW - 10}),
    ("expired", {"exp": 0}),
    ("not_yet_valid", {"nbf": NOW + 3600}),
    ("issued_in_future", {"iat": NOW + 3600}),
    ("missing_claim", {"iss": None}),
    ("missing_claim", {"aud": None}),
    ("missing_claim", {"sub": None}),
    ("missing_claim", {"iat": None}),
    ("missing_claim", {"exp": None}),
    ("missing_claim", {"jti": None}),
    ("missing_claim", {"sid": None}),
    ("malformed", {"exp": MARK}),
    ("malformed", {"nbf": MARK}),
    ("malformed", {"iat": MARK}),
    ("malformed", {"jti": 7}),
    ("malformed", {"sub": 7}),
    ("user_id", {"sub": f"{MARK}\nINFO all is well"}),
    ("session_id", {"sid": f"{MARK}\nINFO all is well"}),
]
HEADERS: list[tuple[str, dict[str, Any]]] = [
    ("type", {"typ": None}),
    ("type", {"typ": f"{MARK}+jwt"}),
    ("type", {"typ": [MARK]}),
    ("header", {"kid": MARK}),
    ("header", {"kid": [MARK]}),
    ("header", {"crit": [MARK], MARK: 1}),
    ("header", {MARK: 1}),
    ("algorithm", {"alg": None}),
    ("algorithm", {"alg": "none"}),
    ("algorithm", {"alg": "HS384"}),
    ("algorithm", {"alg": f"{MARK}\n"}),
]
TEXTS = ["", ".", "a.b.c", f"{MARK}.{MARK}.{MARK}", MARK, f"{MARK}\t{MARK}"]


@pytest.fixture
async def good(client: AsyncClient) -> dict[str, Any]:
    """The tokens of a session that goes on."""
    return await new_session(client)


@pytest.fixture
def forger(app: FastAPI, good: dict[str, Any]) -> Forger:
    """Somebody who has got hold of the signing secret."""
    return Forger(get_state(app).settings.jwt_secret_key.get_secret_value(), good["access_token"])


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


async def refused(client: AsyncClient, token: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the reasons of a refusal, which answers as any other."""
    unsigned = shown(await me(client, "x"))
    caplog.set_level(logging.INFO)
    caplog.clear()
    answer = await me(client, token)
    assert shown(answer) == unsigned
    return reasons(caplog, token)


@pytest.mark.parametrize(("reason", "claims"), CLAIMS)
async def test_claims(
    client: AsyncClient,
    forger: Forger,
    caplog: pytest.LogCaptureFixture,
    reason: str,
    claims: dict[str, Any],
) -> None:
    token = forger.with_claims(**{"name": MARK, **claims})
    assert await refused(client, token, caplog) == [reason]


async def test_lines(client: AsyncClient, forger: Forger, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for token in (
        forger.with_claims(exp=0),
        forger.with_claims(jti=None),
        forger.with_claims(iss=MARK),
        forger.with_header(typ="JWT"),
    ):
        await me(client, token)
    lines = [line.getMessage() for line in caplog.records if line.name == "app.auth"]
    assert lines == [
        "token refused: expired (by the clock of this server)",
        "token refused: missing_claim (jti)",
        "token refused: issuer",
        "token refused: type (not at+jwt)",
    ]


@pytest.mark.parametrize(("reason", "header"), HEADERS)
async def test_header(
    client: AsyncClient,
    forger: Forger,
    caplog: pytest.LogCaptureFixture,
    reason: str,
    header: dict[str, Any],
) -> None:
    assert await refused(client, forger.with_header(**header), caplog) == [reason]


@pytest.mark.parametrize("text", TEXTS)
async def test_what_is_no_token(
    client: AsyncClient, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    assert await refused(client, text, caplog) == ["malformed"]


async def test_secret_that_was_changed(
    client: AsyncClient, good: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    token = Forger("k" * 40, good["access_token"]).with_claims(name=MARK)
    assert await refused(client, token, caplog) == ["signature"]


async def test_session_that_has_ended(
    client: AsyncClient, good: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    await client.post(f"{AUTH}/logout", json={"refresh_token": good["refresh_token"]})
    assert await refused(client, good["access_token"], caplog) == ["session_ended"]


async def test_refresh_tokens(
    client: AsyncClient, good: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert await refused(client, good["refresh_token"], caplog) == ["malformed"]
    await refresh(client, good["refresh_token"])
    for token in (MARK, good["access_token"], good["refresh_token"], f"{MARK}.{MARK}"):
        caplog.clear()
        assert (await refresh(client, token)).status_code == 401
        assert reasons(caplog, token) == ["refresh_token"]


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
    client: AsyncClient, caplog: pytest.LogCaptureFixture, reason: str, headers: list[str]
) -> None:
    caplog.set_level(logging.INFO)
    pairs = [("Authorization", value) for value in headers]
    answer = await client.get(f"{AUTH}/me", headers=pairs)
    assert answer.status_code == 401
    assert MARK not in answer.text + str(answer.headers)
    assert reasons(caplog) == [reason]


async def test_good_token(
    client: AsyncClient, good: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    headers = bearer(good["access_token"])
    assert (await client.get(f"{AUTH}/me", headers=headers)).status_code == 200
    assert reasons(caplog, good["access_token"]) == []
