"""Why a token is refused: the log has the reason, the response does not."""

import logging
import time
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response

from app.state import get_state
from tests.support.accounts import AUTH, bearer, me, new_session, refresh
from tests.support.forgery import Forger

# A part of every token, which no line of the log may contain.
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
async def tokens(client: AsyncClient) -> dict[str, Any]:
    """The tokens of an open session."""
    return await new_session(client)


@pytest.fixture
def forger(app: FastAPI, tokens: dict[str, Any]) -> Forger:
    """Signs tokens with the app's secret."""
    return Forger(get_state(app).settings.jwt_secret_key.get_secret_value(), tokens["access_token"])


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
    client: AsyncClient, token: str, caplog: pytest.LogCaptureFixture
) -> list[str]:
    """Return the logged reasons for refusing a token; check that the response gives none."""
    other = comparable(await me(client, "x"))
    caplog.set_level(logging.INFO)
    caplog.clear()
    response = await me(client, token)
    assert comparable(response) == other
    return reasons(caplog, token)


@pytest.mark.parametrize(("reason", "claims"), CLAIMS)
async def test_invalid_claim(
    client: AsyncClient,
    forger: Forger,
    caplog: pytest.LogCaptureFixture,
    reason: str,
    claims: dict[str, Any],
) -> None:
    token = forger.with_claims(**{"name": MARK, **claims})
    assert await refusal_reasons(client, token, caplog) == [reason]


async def test_log_messages(
    client: AsyncClient, forger: Forger, caplog: pytest.LogCaptureFixture
) -> None:
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
        "token rejected: expired (by the clock of this server)",
        "token rejected: missing_claim (jti)",
        "token rejected: issuer",
        "token rejected: type (not at+jwt)",
    ]


@pytest.mark.parametrize(("reason", "header"), HEADERS)
async def test_invalid_header(
    client: AsyncClient,
    forger: Forger,
    caplog: pytest.LogCaptureFixture,
    reason: str,
    header: dict[str, Any],
) -> None:
    assert await refusal_reasons(client, forger.with_header(**header), caplog) == [reason]


@pytest.mark.parametrize("text", TEXTS)
async def test_malformed_token(
    client: AsyncClient, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    assert await refusal_reasons(client, text, caplog) == ["malformed"]


async def test_token_signed_with_an_old_secret(
    client: AsyncClient, tokens: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    token = Forger("k" * 40, tokens["access_token"]).with_claims(name=MARK)
    assert await refusal_reasons(client, token, caplog) == ["signature"]


async def test_token_of_an_ended_session(
    client: AsyncClient, tokens: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    await client.post(f"{AUTH}/logout", json={"refresh_token": tokens["refresh_token"]})
    assert await refusal_reasons(client, tokens["access_token"], caplog) == ["session_ended"]


async def test_refresh_tokens(
    client: AsyncClient, tokens: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert await refusal_reasons(client, tokens["refresh_token"], caplog) == ["malformed"]
    await refresh(client, tokens["refresh_token"])
    for token in (MARK, tokens["access_token"], tokens["refresh_token"], f"{MARK}.{MARK}"):
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
    response = await client.get(f"{AUTH}/me", headers=pairs)
    assert response.status_code == 401
    assert MARK not in response.text + str(response.headers)
    assert reasons(caplog) == [reason]


async def test_valid_token_logs_no_reason(
    client: AsyncClient, tokens: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    headers = bearer(tokens["access_token"])
    assert (await client.get(f"{AUTH}/me", headers=headers)).status_code == 200
    assert reasons(caplog, tokens["access_token"]) == []
