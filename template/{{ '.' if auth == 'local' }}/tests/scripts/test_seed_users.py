"""The users whose rows `make seed` creates."""

import pytest
from anyio import to_thread
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import select

from app.db.database import Database
from app.models.session import Session
from app.models.user import User
from app.services.auth import disable_user
from app.state import get_state
from scripts import seed
from scripts.seed_users import DEFAULT_USERS, PASSWORD
from tests.support.accounts import log_in, register


@pytest.fixture(autouse=True)
def environment(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database of the tests."""
    monkeypatch.setenv("DATABASE_URL", get_state(app).settings.database_url)
    monkeypatch.setenv("ENVIRONMENT", "local")


async def test_new_users_can_log_in(
    client: AsyncClient, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await to_thread.run_sync(seed.main, []) is None
    assert await database.execute(select(Session.__table__)) == []
    printed = capsys.readouterr().out
    for email in DEFAULT_USERS:
        assert f"{email}, password: {PASSWORD}\n" in printed
        assert (await log_in(client, email, PASSWORD)).status_code == 200


async def test_registered_users_keep_their_password(
    client: AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    await register(client)
    assert await to_thread.run_sync(seed.main, ["Carol@example.com"]) is None
    assert "password: " not in capsys.readouterr().out
    assert (await log_in(client)).status_code == 200


async def test_email_must_be_valid(database: Database) -> None:
    error = await to_thread.run_sync(seed.main, ["carol"])
    assert error == "carol: not an email address"
    assert await database.execute(select(User.__table__)) == []


async def test_user_must_not_be_disabled(client: AsyncClient, database: Database) -> None:
    await register(client)
    await disable_user(database, "carol@example.com")
    error = await to_thread.run_sync(seed.main, ["carol@example.com"])
    assert error == "carol@example.com is disabled."
