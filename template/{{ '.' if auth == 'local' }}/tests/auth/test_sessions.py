"""Sessions: the effects of refresh, logout and password changes on tokens."""

import asyncio
import logging
import re
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import insert, select, update

from app.auth.sessions import open_session
from app.db.database import Database
from app.models.session import Session
from app.models.user import User
from tests.support.accounts import AUTH, bearer, log_in, me, new_session, refresh, register
from tests.support.identity import PASSWORD

NEW_PASSWORD = "a new one, and longer"


async def change_password(client: AsyncClient, access_token: str, current: str) -> int:
    """Change the password; return the status."""
    body = {"current_password": current, "new_password": NEW_PASSWORD}
    headers = bearer(access_token)
    return (await client.post(f"{AUTH}/password", json=body, headers=headers)).status_code


async def expire_all(database: Database) -> None:
    """Make all sessions expire."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    await database.execute(update(Session.__table__).values(expires_at=past))


async def count_sessions(database: Database) -> int:
    """Return the number of stored sessions."""
    return len(await database.execute(select(Session.__table__.c.id)))


async def test_refresh_rotates(client: AsyncClient) -> None:
    first = await new_session(client)
    response = await refresh(client, first["refresh_token"])
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    second = response.json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert (await me(client, second["access_token"])).status_code == 200
    assert (await refresh(client, second["refresh_token"])).status_code == 200


async def test_reuse_of_a_refresh_token_ends_the_session(client: AsyncClient) -> None:
    first, other = await new_session(client), await new_session(client)
    second = (await refresh(client, first["refresh_token"])).json()
    third = (await refresh(client, second["refresh_token"])).json()
    replayed = await refresh(client, first["refresh_token"])
    assert replayed.status_code == 401
    assert replayed.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')
    assert (await refresh(client, third["refresh_token"])).status_code == 401
    assert (await me(client, third["access_token"])).status_code == 401
    assert (await me(client, other["access_token"])).status_code == 200


async def test_refresh_token_cannot_be_guessed(client: AsyncClient) -> None:
    tokens = await new_session(client)
    for _ in range(2):
        # 128 bits that identify the session, and 256 that are new each time.
        assert re.fullmatch(r"[\w-]{22}\.[\w-]{43}", tokens["refresh_token"])
        tokens = (await refresh(client, tokens["refresh_token"])).json()


async def test_parts_of_two_refresh_tokens_are_not_a_token(client: AsyncClient) -> None:
    first, second = await new_session(client), await new_session(client)
    session = first["refresh_token"].partition(".")[0]
    secret = second["refresh_token"].partition(".")[2]
    assert (await refresh(client, f"{session}.{secret}")).status_code == 401
    assert (await refresh(client, second["refresh_token"])).status_code == 200


async def test_at_most_one_of_parallel_refreshes_succeeds(client: AsyncClient) -> None:
    tokens = await new_session(client)
    attempts = (refresh(client, tokens["refresh_token"]) for _ in range(8))
    responses = [response.status_code for response in await asyncio.gather(*attempts)]
    assert responses.count(200) <= 1
    assert responses.count(401) >= 7


@pytest.mark.parametrize("token", ["", ".", "x", "a.b", "\0", "é" * 500, "r" * 1024])
async def test_unknown_refresh_token(client: AsyncClient, token: str) -> None:
    assert (await refresh(client, token)).status_code == 401


@pytest.mark.parametrize("token", ["r" * 1025, "\ud800", None, 7])
async def test_invalid_refresh_token(client: AsyncClient, token: str) -> None:
    assert (await refresh(client, token)).status_code == 422


async def test_access_token_is_not_a_refresh_token(client: AsyncClient) -> None:
    tokens = await new_session(client)
    assert (await refresh(client, tokens["access_token"])).status_code == 401
    assert (await me(client, tokens["refresh_token"])).status_code == 401


async def test_expired_session(client: AsyncClient, database: Database) -> None:
    tokens = await new_session(client)
    await expire_all(database)
    assert (await refresh(client, tokens["refresh_token"])).status_code == 401
    assert await count_sessions(database) == 0


async def test_login_removes_expired_sessions(client: AsyncClient, database: Database) -> None:
    for _ in range(3):
        await new_session(client)
    await expire_all(database)
    await new_session(client, "dave@example.com")
    assert await count_sessions(database) == 1


async def test_login_removes_100_expired_sessions_at_most(
    client: AsyncClient, database: Database
) -> None:
    await new_session(client)
    table = Session.__table__
    async with database.transaction() as connection:
        [row] = (await connection.execute(select(table))).mappings()
        copied = {name: value for name, value in row.items() if name not in {"id", "family_hash"}}
        copies = [{**copied, "family_hash": f"{number:064}"} for number in range(100)]
        await connection.execute(insert(table), copies)
    await expire_all(database)
    await new_session(client, "dave@example.com")
    assert await count_sessions(database) == 2


async def test_only_hashes_are_stored(client: AsyncClient, database: Database) -> None:
    tokens = await new_session(client)
    stored = [
        str(row)
        for model in (User, Session)
        for row in await database.execute(select(model.__table__))
    ]
    secrets = [PASSWORD, tokens["access_token"], *tokens["refresh_token"].split(".")]
    assert not [secret for secret in secrets for row in stored if secret in row]


async def test_no_secret_is_logged(client: AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tokens = await new_session(client)
    renewed = (await refresh(client, tokens["refresh_token"])).json()
    await me(client, renewed["access_token"])
    await change_password(client, renewed["access_token"], PASSWORD)
    await log_in(client)
    await refresh(client, tokens["refresh_token"])
    assert "used refresh token" in caplog.text
    secrets = [PASSWORD, NEW_PASSWORD, *tokens.values(), *renewed.values()]
    found = [secret for secret in secrets if len(str(secret)) > 8 and str(secret) in caplog.text]
    assert found == []


async def test_logout_ends_the_session(client: AsyncClient) -> None:
    first, other = await new_session(client), await new_session(client)
    second = (await refresh(client, first["refresh_token"])).json()
    body = {"refresh_token": second["refresh_token"]}
    for _ in range(2):
        assert (await client.post(f"{AUTH}/logout", json=body)).status_code == 204
    for tokens in (first, second):
        assert (await me(client, tokens["access_token"])).status_code == 401
    assert (await refresh(client, second["refresh_token"])).status_code == 401
    assert (await me(client, other["access_token"])).status_code == 200


async def test_logout_with_a_used_refresh_token(client: AsyncClient) -> None:
    first = await new_session(client)
    second = (await refresh(client, first["refresh_token"])).json()
    await client.post(f"{AUTH}/logout", json={"refresh_token": first["refresh_token"]})
    assert (await me(client, second["access_token"])).status_code == 401


async def test_new_password_ends_the_other_sessions(client: AsyncClient) -> None:
    kept, ended = await new_session(client), await new_session(client)
    other_user = await new_session(client, "dave@example.com")
    assert await change_password(client, kept["access_token"], PASSWORD) == 204
    assert (await me(client, ended["access_token"])).status_code == 401
    assert (await refresh(client, ended["refresh_token"])).status_code == 401
    assert (await me(client, kept["access_token"])).status_code == 200
    assert (await refresh(client, kept["refresh_token"])).status_code == 200
    assert (await me(client, other_user["access_token"])).status_code == 200
    assert (await log_in(client)).status_code == 401
    assert (await log_in(client, password=NEW_PASSWORD)).status_code == 200


async def test_new_password_needs_the_current_one(client: AsyncClient) -> None:
    tokens = await new_session(client)
    assert await change_password(client, tokens["access_token"], "wrong") == 403
    assert (await log_in(client)).status_code == 200


async def test_one_of_parallel_password_changes_succeeds(client: AsyncClient) -> None:
    tokens = await new_session(client)
    changes = (change_password(client, tokens["access_token"], PASSWORD) for _ in range(4))
    assert sorted(await asyncio.gather(*changes)) == [204, 403, 403, 403]


async def test_password_changed_during_login(
    client: AsyncClient, app: FastAPI, database: Database
) -> None:
    await register(client)
    [user] = await database.execute(select(User.__table__))
    tokens = (await log_in(client)).json()
    assert await change_password(client, tokens["access_token"], PASSWORD) == 204
    assert await open_session(database, user, timedelta(days=1)) is None
