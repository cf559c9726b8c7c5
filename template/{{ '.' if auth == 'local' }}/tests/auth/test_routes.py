"""The routes for registration, login and the current user."""

import asyncio
import io
from collections.abc import Callable
from typing import Any, Literal
from unittest.mock import AsyncMock

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import select, text

from app.auth.passwords import HASHER
from app.db.database import Database
from app.models.session import Session
from app.models.user import User
from tests.support.accounts import (
    AUTH,
    EMAIL,
    REGISTERED,
    TAKEN,
    bearer,
    json_body,
    log_in,
    me,
    new_session,
    refresh,
    register,
)
from tests.support.error_shape import error_of
from tests.support.identity import PASSWORD

INVALID_NAMES = ["", " ", "\x1c", "\ufeff", "\0", "n" * 201, "\ud800", 7, ["x"]]


async def count_rows(database: Database, model: Any) -> int:
    """Return the number of rows of a table."""
    return len(await database.execute(select(model.__table__.c.id)))


async def test_registered_user_can_log_in(client: AsyncClient) -> None:
    body = {"email": EMAIL, "password": PASSWORD, "name": "Carol"}
    created = await client.post(f"{AUTH}/register", json=body)
    assert created.status_code == REGISTERED
    tokens = await log_in(client)
    assert tokens.status_code == 200
    assert tokens.headers["Cache-Control"] == "no-store"
    assert tokens.json().keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (tokens.json()["token_type"], tokens.json()["expires_in"]) == ("bearer", 900)
    user = (await me(client, tokens.json()["access_token"])).json()
    assert user.keys() >= {"id", "email", "name", "created_at"}
    assert (user["email"], user["name"]) == (EMAIL, "Carol")


@pytest.mark.parametrize("email", ["CAROL@example.com", "carol@EXAMPLE.com", "Carol@Example.Com"])
async def test_emails_are_case_insensitive(client: AsyncClient, email: str) -> None:
    assert (await register(client)).status_code == REGISTERED
    taken = await register(client, email)
    assert taken.status_code == TAKEN
    assert (await log_in(client, email)).status_code == 200


async def test_composed_and_decomposed_letters_are_one_email(client: AsyncClient) -> None:
    tokens = await new_session(client, "ZOE\u0308@example.com")
    user = (await me(client, tokens["access_token"])).json()
    assert user["email"] == "zo\u00eb@example.com"
    assert (await register(client, "zo\u00eb@example.com")).status_code == TAKEN


@pytest.mark.parametrize(("one", "other"), [("stra\u00dfe", "strasse"), ("\ufb01n", "fin")])
async def test_different_mailboxes_stay_different(
    client: AsyncClient, one: str, other: str
) -> None:
    assert (await register(client, f"{other}@example.com")).status_code == REGISTERED
    assert (await register(client, f"{one}@example.com")).status_code in {REGISTERED, 422}


async def test_one_of_parallel_registrations_succeeds(
    client: AsyncClient, database: Database
) -> None:
    emails = ["dave@example.com", "DAVE@example.com"] * 8
    responses = await asyncio.gather(*(register(client, email) for email in emails))
    assert sorted(response.status_code for response in responses) == [REGISTERED] + [TAKEN] * 15
    assert await count_rows(database, User) == 1


@pytest.mark.parametrize("password", ["", "seven77", "p" * 129, "\ud800" * 8, None, 12345678])
async def test_invalid_password(client: AsyncClient, password: Any) -> None:
    response = await register(client, password=password)
    assert response.status_code == 422
    assert "password" in response.text


@pytest.mark.parametrize("password", ["eight888", "p" * 128, "\0" * 8, "пароль-🔑-密码"])
async def test_password_may_contain_any_characters(client: AsyncClient, password: str) -> None:
    assert (await register(client, password=password)).status_code == REGISTERED
    assert (await log_in(client, password=password)).status_code == 200


@pytest.mark.parametrize(
    "email",
    [
        "",
        "carol",
        "carol@",
        "a@b@c.com",
        " carol@example.com",
        "Carol <carol@example.com>",
        "\0@example.com",
        "e" * 10_000,
        "\ud800@a.com",
    ],
)
async def test_invalid_email(client: AsyncClient, email: str) -> None:
    for response in (await register(client, email), await log_in(client, email)):
        assert response.status_code == 422
        assert "email" in response.text


async def test_failed_logins_have_the_same_response(client: AsyncClient) -> None:
    await register(client)
    wrong, unknown = await log_in(client, password="wrong"), await log_in(client, "x@example.com")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.headers["WWW-Authenticate"] == unknown.headers["WWW-Authenticate"] == "Bearer"
    assert {**wrong.json(), "timestamp": 0} == {**unknown.json(), "timestamp": 0}


async def test_failed_logins_do_the_same_work(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(client)
    verify, calls = type(HASHER.current_hasher).verify, []

    def counted(*arguments: Any) -> bool:
        calls.append(arguments[1])
        return verify(*arguments)

    monkeypatch.setattr(type(HASHER.current_hasher), "verify", counted)
    await log_in(client, password="wrong")
    await log_in(client, "unknown@example.com", password="wrong")
    assert calls == ["wrong", "wrong"]


async def test_login_with_the_form(client: AsyncClient) -> None:
    await register(client)
    form = {"grant_type": "password", "username": "CAROL@example.com", "password": PASSWORD}
    tokens = await client.post(f"{AUTH}/token", data=form)
    assert tokens.status_code == 200
    assert tokens.headers["Cache-Control"] == "no-store"
    assert (await me(client, tokens.json()["access_token"])).json()["email"] == EMAIL


@pytest.mark.parametrize(
    ("username", "password"),
    [(EMAIL, "wrong"), (EMAIL, "p" * 129), ("carol", PASSWORD), ("\0@a.com", PASSWORD)],
)
async def test_form_with_wrong_credentials(
    client: AsyncClient, username: str, password: str
) -> None:
    await register(client)
    form = {"username": username, "password": password}
    response = await client.post(f"{AUTH}/token", data=form)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"grant_type": "", "scope": "", "client_id": "", "client_secret": ""},
        {"grant_type": "password", "scope": "read write", "client_id": "a", "client_secret": "b"},
        {"audience": "unknown parameters are ignored"},
    ],
)
async def test_form_takes_the_parameters_of_oauth2(
    client: AsyncClient, parameters: dict[str, str]
) -> None:
    await register(client)
    form = {"username": EMAIL, "password": PASSWORD, **parameters}
    assert (await client.post(f"{AUTH}/token", data=form)).status_code == 200


@pytest.mark.parametrize(
    ("content", "errors"),
    [
        ("", {"username", "password"}),
        ("username=carol", {"password"}),
        ("username=carol&password=", {"password"}),
        ("username=&password=b", {"username"}),
        ("username=carol&password=b&grant_type=code", {"grant_type"}),
        ("%ED%A0%80=%00", {"username", "password"}),
        ("username[]=a&password=b", {"username"}),
    ],
)
async def test_form_must_be_complete(client: AsyncClient, content: str, errors: set[str]) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = await client.post(f"{AUTH}/token", content=content, headers=headers)
    assert error_of(response, 422, "VALIDATION_ERROR").keys() == errors


async def test_user_updates_the_name(client: AsyncClient) -> None:
    other = (await new_session(client, "dave@example.com"))["access_token"]
    headers = bearer((await new_session(client))["access_token"])
    for body, name in [({"name": "Carol"}, "Carol"), ({}, "Carol"), ({"name": None}, None)]:
        response = await client.patch(f"{AUTH}/me", json=body, headers=headers)
        assert response.status_code == 200
        assert response.json()["name"] == name
        assert (await client.get(f"{AUTH}/me", headers=headers)).json() == response.json()
        assert (await me(client, other)).json()["name"] is None


@pytest.mark.parametrize(
    "body",
    [{"name": name} for name in INVALID_NAMES]
    + [{"id": 1}, {"email": "x@example.com"}, {"password": PASSWORD}, {"is_admin": True}],
)
async def test_other_changes_are_rejected(client: AsyncClient, body: dict[str, Any]) -> None:
    client.headers.update(bearer((await new_session(client))["access_token"]))
    assert (await client.patch(f"{AUTH}/me", **json_body(body))).status_code == 422


@pytest.mark.parametrize("log_format", ["console", "json"])
async def test_log_contains_no_user_data(
    client: AsyncClient,
    database: Database,
    configure: Callable[..., io.StringIO],
    log_format: Literal["console", "json"],
) -> None:
    log = configure(log_format, "DEBUG")
    email, name, password = "dagmar@example.com", "Dagmar Dreizehn", "a password of thirteen"
    body = {"email": email, "name": name, "password": password}
    assert (await client.post(f"{AUTH}/register", json=body)).status_code == REGISTERED
    assert (await client.post(f"{AUTH}/register", json=body)).status_code == TAKEN
    assert (await log_in(client, email, "wrong password")).status_code == 401
    tokens = (await log_in(client, email, password)).json()
    form = {"username": email, "password": password}
    others = (await client.post(f"{AUTH}/token", data=form)).json()
    newer = (await refresh(client, tokens["refresh_token"])).json()
    headers = bearer(newer["access_token"])
    statements = ("password_hash, email FROM users", "token_hash, family_hash FROM sessions")
    results = [await database.execute(text(f"SELECT {item}")) for item in statements]
    secrets = {value for rows in results for row in rows for value in row.values()}
    change = {"current_password": password, "new_password": "another of thirteen"}
    assert (await client.patch(f"{AUTH}/me", json={"name": name}, headers=headers)).is_success
    assert (await client.post(f"{AUTH}/password", json=change, headers=headers)).is_success
    assert (await client.delete(f"{AUTH}/me", headers=headers)).is_success
    assert len(secrets) == 6
    for item in (tokens, others, newer):
        secrets |= {item["access_token"], item["refresh_token"]}
    # httpx logs the requests of the tests themselves.
    written = "\n".join(line for line in log.getvalue().splitlines() if "httpx" not in line)
    assert written.count("app.access") == 9
    for secret in {*secrets, *body.values(), *change.values(), "wrong password"}:
        assert secret not in written


async def test_deleting_a_user(client: AsyncClient, database: Database) -> None:
    tokens = await new_session(client)
    headers = bearer(tokens["access_token"])
    assert (await client.delete(f"{AUTH}/me", headers=headers)).status_code == 204
    assert await count_rows(database, User) == await count_rows(database, Session) == 0
    assert (await me(client, tokens["access_token"])).status_code == 401
    assert (await refresh(client, tokens["refresh_token"])).status_code == 401
    assert (await log_in(client)).status_code == 401
    assert (await register(client)).status_code == REGISTERED


async def test_deleting_a_user_keeps_the_others(client: AsyncClient) -> None:
    other = (await new_session(client, "dave@example.com"))["access_token"]
    headers = bearer((await new_session(client))["access_token"])
    assert (await client.delete(f"{AUTH}/me", headers=headers)).status_code == 204
    assert (await me(client, other)).status_code == 200


async def test_user_deleted_during_a_request(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.headers.update(bearer((await new_session(client))["access_token"]))
    await client.delete(f"{AUTH}/me")
    # As if the token had been verified just before.
    monkeypatch.setattr("app.auth.tokens.AccessToken.check", AsyncMock())
    for response in (
        await client.get(f"{AUTH}/me"),
        await client.patch(f"{AUTH}/me", json={"name": "Carol"}),
    ):
        assert response.status_code == 401
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
    assert (await client.delete(f"{AUTH}/me")).status_code == 204


async def test_user_deleted_during_login(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(client)
    monkeypatch.setattr("app.services.auth.open_session", AsyncMock(return_value=None))
    assert (await log_in(client)).status_code == 401


async def test_openapi_names_the_token_url(app: FastAPI) -> None:
    scheme = app.openapi()["components"]["securitySchemes"]["OAuth2PasswordBearer"]
    assert scheme["flows"]["password"]["tokenUrl"] == f"{AUTH}/token".lstrip("/")


@pytest.mark.parametrize(
    ("content", "content_type"),
    [(b"x", "multipart/form-data"), (b"x", "multipart/form-data; boundary=y")],
)
async def test_unreadable_form(client: AsyncClient, content: bytes, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    response = await client.post(f"{AUTH}/token", content=content, headers=headers)
    error_of(response, 422, "VALIDATION_ERROR")


async def test_example_of_a_wrong_password_is_not_about_other_users(app: FastAPI) -> None:
    responses = app.openapi()["paths"][f"{AUTH}/password"]["post"]["responses"]
    assert "another user" not in str(responses["403"])
