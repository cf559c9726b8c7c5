"""The app while its SMTP server is down, or accepts connections and does not answer."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import AsyncMock

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.db.database import Database
from app.errors import ServiceUnavailable
from app.mail import sender as senders
from app.mail.outbox import Kind, new_mail
from app.mail.sender import Sender
from app.state import get_state
from scripts import mail
from tests.mail.servers import HOST, Mailbox
from tests.mail.steps import post, settings_of, stored
from tests.support.accounts import AUTH, EMAIL, bearer, log_in, me, register
from tests.support.identity import PASSWORD
from tests.support.probe import open_client

# Less than an attempt takes.
TIMEOUT_SECONDS = 15


@pytest.fixture
async def silent() -> AsyncIterator[socket.socket]:
    """A server that never answers."""
    with socket.create_server((HOST, 0)) as server:
        server.setblocking(False)
        yield server


@pytest.fixture
async def signals() -> AsyncIterator[None]:
    """Ignore the signal that stops processes, except for handlers of the test."""
    handler = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    yield
    asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
    signal.signal(signal.SIGTERM, handler)


def settings_for(server: socket.socket) -> dict[str, Any]:
    """Return the settings of an app that sends its mails to a server itself."""
    settings = settings_of(server.getsockname()[1])
    return {**settings.model_dump(), "send_mail": True}


async def use(client: AsyncClient) -> None:
    """Send requests that store four mails, and others."""
    assert (await register(client)).status_code == 202
    response = await log_in(client)
    assert response.status_code == 200
    access_token = response.json()["access_token"]
    assert (await post(client, "/forgot-password", email=EMAIL)).status_code == 202
    body = {"new_email": "dave@example.com", "current_password": PASSWORD}
    assert (await post(client, "/change-email", access_token, **body)).status_code == 202
    assert (await me(client, access_token)).status_code == 200
    headers = bearer(access_token)
    response = await client.patch(f"{AUTH}/me", json={"name": "Carol"}, headers=headers)
    assert response.status_code == 200


async def test_app_works_while_the_server_does_not_answer(
    app: FastAPI,
    database: Database,
    silent: socket.socket,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(senders, "STOP_TIMEOUT_SECONDS", 0.1)
    await database.execute(new_mail(Kind.EMAIL_TAKEN, "erin@example.com"))
    async with asyncio.timeout(TIMEOUT_SECONDS):
        async with open_client(app, **settings_for(silent)) as client:
            connection, _ = await asyncio.get_running_loop().sock_accept(silent)
            await use(client)
            # The sender is still connected, and waits.
            with pytest.raises(BlockingIOError):
                connection.recv(1)
        connection.close()
    assert [row["attempts"] for row in await stored(database)] == [1, 0, 0, 0, 0]
    # The attempt was cancelled, and has not failed.
    assert "not sent yet" not in caplog.text


async def test_app_works_while_the_server_is_down(
    app: FastAPI, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await database.execute(new_mail(Kind.EMAIL_TAKEN, "erin@example.com"))
    with socket.socket() as down:
        down.bind((HOST, 0))
        async with asyncio.timeout(TIMEOUT_SECONDS):
            async with open_client(app, **settings_for(down)) as client:
                while "not sent yet" not in caplog.text:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                await use(client)
    assert len(await stored(database)) == 5


@pytest.mark.usefixtures("signals")
async def test_worker_stops_while_the_server_does_not_answer(
    app: FastAPI,
    database: Database,
    silent: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(senders, "STOP_TIMEOUT_SECONDS", 0.1)
    await database.execute(new_mail(Kind.EMAIL_TAKEN, EMAIL))
    # The setting is for the app.
    changes = {**settings_for(silent), "send_mail": False}
    settings = get_state(app).settings.model_copy(update=changes)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        worker = asyncio.create_task(mail.run(settings, once=False))
        connection, _ = await asyncio.get_running_loop().sock_accept(silent)
        signal.raise_signal(signal.SIGTERM)
        assert await worker == 0
    connection.close()
    assert [row["attempts"] for row in await stored(database)] == [1]


async def test_sender_continues_after_errors_of_the_database(
    database: Database,
    sender: Sender,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    errors = {"does not answer": ServiceUnavailable(), "could not be sent": RuntimeError("unknown")}
    await database.execute(new_mail(Kind.EMAIL_TAKEN, EMAIL))
    for message, error in errors.items():
        with monkeypatch.context() as patch:
            patch.setattr(senders, "claim", AsyncMock(side_effect=error))
            assert not await sender.send_once()
        assert message in caplog.text
    assert await sender.send_once()
    assert [address for address, _ in mailbox.received] == [EMAIL]
