"""The command for operators: users, their sessions and passwords."""

import io
import logging
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from anyio import to_thread
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import select

from app.auth.sessions import open_session
from app.auth.weak_passwords import COMMON
from app.db.database import Database
from app.models.session import Session
from app.models.user import User
from app.state import get_state
from scripts import users
from tests.support.accounts import EMAIL, TAKEN, log_in, me, new_session, refresh, register
from tests.support.identity import PASSWORD

NEW_PASSWORD = "a new one, and longer"
NOBODY = "nobody@example.com"

Run = Callable[..., Awaitable[str | None]]


class Terminal(io.StringIO):
    """A standard input at which someone can type."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(app: FastAPI, database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on the database of the tests, and return its error."""
    monkeypatch.setenv("DATABASE_URL", get_state(app).settings.database_url)

    async def run(*arguments: str, stdin: str = "") -> str | None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        # In a thread, because the command runs its own event loop.
        return await to_thread.run_sync(users.main, arguments)

    return run


async def test_created_user_can_log_in(
    run: Run, client: AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run("create", "Carol@Example.com", stdin=f"{PASSWORD}\nignored\n") is None
    token = (await log_in(client)).json()["access_token"]
    user = (await me(client, token)).json()
    assert (user["email"], user["name"]) == (EMAIL, None)
    assert capsys.readouterr().out == f"Created {EMAIL} with the id {user['id']}.\n"


async def test_generated_password_is_printed_once(
    run: Run, client: AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run("create", EMAIL, "--generate") is None
    first = capsys.readouterr().out.partition("Password: ")[2].strip()
    assert await run("reset-password", EMAIL, "--generate") is None
    second = capsys.readouterr().out.partition("Password: ")[2].strip()
    assert len({first, second, ""}) == 3
    assert (await log_in(client, password=first)).status_code == 401
    assert (await log_in(client, password=second)).status_code == 200


async def test_password_is_entered_twice_at_a_terminal(
    run: Run, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = iter([PASSWORD, PASSWORD, NEW_PASSWORD, "another"])
    monkeypatch.setattr(io, "StringIO", Terminal)
    monkeypatch.setattr(users, "getpass", lambda _prompt: next(typed))
    assert await run("create", EMAIL) is None
    assert await run("reset-password", EMAIL) == "The passwords differ."
    assert (await log_in(client)).status_code == 200


async def test_interrupted_at_the_terminal(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(io, "StringIO", Terminal)

    def end(_prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(users, "getpass", end)
    assert await run("create", EMAIL) == "Nothing was changed."
    assert await database.execute(select(User.__table__)) == []


async def test_disabled_user_has_no_sessions_and_cannot_log_in(
    run: Run, client: AsyncClient
) -> None:
    sessions = [await new_session(client) for _ in range(2)]
    other = await new_session(client, "dave@example.com")
    for _ in range(2):
        assert await run("disable", "CAROL@example.com") is None
    for tokens in sessions:
        assert (await me(client, tokens["access_token"])).status_code == 401
        assert (await refresh(client, tokens["refresh_token"])).status_code == 401
    disabled, wrong = await log_in(client), await log_in(client, "dave@example.com", "wrong")
    assert disabled.status_code == wrong.status_code == 401
    assert {**disabled.json(), "timestamp": 0} == {**wrong.json(), "timestamp": 0}
    assert disabled.headers["WWW-Authenticate"] == wrong.headers["WWW-Authenticate"]
    assert (await register(client)).status_code == TAKEN
    assert (await me(client, other["access_token"])).status_code == 200
    assert await run("enable", EMAIL) is None
    assert (await log_in(client)).status_code == 200
    assert (await refresh(client, sessions[0]["refresh_token"])).status_code == 401


async def test_date_of_the_first_disabling_is_kept(
    run: Run, client: AsyncClient, database: Database
) -> None:
    await register(client)
    dates = []
    for _ in range(2):
        await run("disable", EMAIL)
        [user] = await database.execute(select(User.__table__.c.disabled_at))
        dates.append(user["disabled_at"])
    assert dates[0] == dates[1] is not None


async def test_login_of_a_disabled_user_does_the_same_work(
    run: Run, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(client)
    await run("disable", EMAIL)
    passwords: list[tuple[str, str | None]] = []

    async def verify(password: str, stored: str | None) -> tuple[bool, str | None]:
        passwords.append((password, stored))
        return False, None

    monkeypatch.setattr("app.services.auth.verify_password", verify)
    await log_in(client)
    assert passwords == [(PASSWORD, None)]


@pytest.mark.parametrize("command", ["disable", "reset-password"])
async def test_login_at_the_same_moment(
    run: Run, client: AsyncClient, database: Database, command: str
) -> None:
    await register(client)
    # The password has just been verified.
    [user] = await database.execute(select(User.__table__))
    assert await run(command, EMAIL, stdin=NEW_PASSWORD) is None
    assert await open_session(database, user, timedelta(days=1)) is None


async def test_revoked_sessions(run: Run, client: AsyncClient, database: Database) -> None:
    ended, other = await new_session(client), await new_session(client, "dave@example.com")
    assert await run("revoke", EMAIL) is None
    assert (await me(client, ended["access_token"])).status_code == 401
    assert (await me(client, other["access_token"])).status_code == 200
    assert len(await database.execute(select(Session.__table__.c.id))) == 1
    assert (await log_in(client)).status_code == 200


async def test_password_reset_ends_all_sessions(run: Run, client: AsyncClient) -> None:
    ended, other = await new_session(client), await new_session(client, "dave@example.com")
    assert await run("reset-password", EMAIL, stdin=NEW_PASSWORD) is None
    assert (await me(client, ended["access_token"])).status_code == 401
    assert (await me(client, other["access_token"])).status_code == 200
    assert (await log_in(client)).status_code == 401
    assert (await log_in(client, password=NEW_PASSWORD)).status_code == 200
    assert (await log_in(client, "dave@example.com")).status_code == 200


async def test_password_reset_does_not_enable(run: Run, client: AsyncClient) -> None:
    await register(client)
    await run("disable", EMAIL)
    assert await run("reset-password", EMAIL, stdin=NEW_PASSWORD) is None
    assert (await log_in(client, password=NEW_PASSWORD)).status_code == 401


@pytest.mark.parametrize("command", ["disable", "enable", "revoke", "reset-password"])
async def test_unknown_email(run: Run, command: str) -> None:
    assert await run(command, NOBODY, stdin=PASSWORD) == f"No user has the email {NOBODY}."


@pytest.mark.parametrize("command", users.COMMANDS)
@pytest.mark.parametrize("email", ["", "carol", "a@b@c.com", "\ud800@a.com"])
async def test_invalid_email(run: Run, command: str, email: str) -> None:
    error = await run(command, email, stdin=PASSWORD)
    assert error is not None
    assert error.startswith("email: ")
    assert "\n" not in error


async def test_email_in_use(run: Run, client: AsyncClient) -> None:
    await register(client)
    assert await run("create", EMAIL, stdin=NEW_PASSWORD) == "email: Already in use."
    assert (await log_in(client)).status_code == 200


@pytest.mark.parametrize("command", users.WITH_PASSWORD)
@pytest.mark.parametrize("password", ["", "seven77", "p" * 129, "password1", "carol1234"])
async def test_password_is_rejected_and_not_printed(
    run: Run,
    client: AsyncClient,
    command: str,
    password: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    await register(client)
    error = await run(command, EMAIL, stdin=f"{password}\n")
    assert error is not None
    assert error.startswith("password: ")
    assert COMMON in error or password != "password1"
    assert "\n" not in error
    assert not password or password not in error + caplog.text
    assert (await log_in(client)).status_code == 200


@pytest.mark.parametrize("command", [[], ["delete", EMAIL], ["create"], ["create", EMAIL, "p"]])
async def test_usage(run: Run, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        await run(*command)
    assert stopped.value.code == 2
    assert "usage: python -m scripts.users" in capsys.readouterr().err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        users.main(["--help"])
    printed = capsys.readouterr().out
    assert [text for text in users.COMMANDS.values() if text not in printed] == []


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("mysql://host/app", "DATABASE_URL must begin with "),
        ("postgresql://127.0.0.1:1/app", "The database does not answer; check DATABASE_URL."),
        (
            "sqlite:///{empty}/app.db",
            "Have all revisions been applied (`make migrate`)? The database says: no such table",
        ),
    ],
)
async def test_database_cannot_be_used(
    run: Run, url: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", url.format(empty=tmp_path.as_posix()))
    printed = await run("disable", EMAIL)
    assert printed is not None
    assert printed.startswith(error)
    assert "\n" not in printed
