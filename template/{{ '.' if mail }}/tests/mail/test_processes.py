"""Processes of `python -m scripts.mail`: several at once, killed, and stopped."""

import asyncio
import os
import secrets
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from select import select

import pytest
from fastapi import FastAPI
from sqlalchemy import update

from app.db.database import Database
from app.mail.outbox import Kind, new_mail
from app.mail.sender import Sender
from app.models.outgoing_mail import OutgoingMail
from app.state import get_state
from scripts import mail
from tests.mail.servers import HOST, Gate, Mailbox, smtp_server
from tests.mail.steps import received, stored
from tests.support.accounts import EMAIL

SENDERS = 3
# For what takes a process a moment; ends a test that waits in vain.
TIMEOUT_SECONDS = 15

Start = Callable[..., AbstractAsyncContextManager[Process]]

mails = OutgoingMail.__table__


@pytest.fixture
def start(app: FastAPI, database: Database) -> Start:
    """Start a process on the database of the tests, which is killed in the end."""
    variables = {
        **os.environ,
        "DATABASE_URL": get_state(app).settings.database_url,
        "ENVIRONMENT": "test",
        "JWT_SECRET_KEY": secrets.token_hex(32),
        "MAIL_FROM": "no-reply@example.com",
    }

    @asynccontextmanager
    async def start(port: int, *arguments: str) -> AsyncIterator[Process]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "scripts.mail", *arguments),
            env={**variables, "SMTP_URL": f"smtp://{HOST}:{port}"},
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
        )
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                yield process
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()

    return start


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is met; the time is limited by the process that it waits for."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_each_mail_is_sent_by_one_of_three_processes(
    database: Database, start: Start
) -> None:
    emails = [f"user{number}@example.com" for number in range(60)]
    async with database.transaction() as connection:
        for email in emails:
            await connection.execute(new_mail(Kind.EMAIL_TAKEN, email))
    gate = Gate()
    with smtp_server(gate) as port:
        async with start(port) as first, start(port) as second, start(port) as third:
            # Each has a mail of its own before the first is answered.
            await until(lambda: len(gate.peers) == SENDERS)
            gate.is_open = True
            await until(lambda: len(gate.received) >= len(emails))
            for process in (first, second, third):
                process.send_signal(signal.SIGTERM)
            for process in (first, second, third):
                assert await process.wait() == 0
    assert sorted(address for address, _ in gate.received) == sorted(emails)
    assert await stored(database) == []


@pytest.mark.parametrize("has_mail", [False, True])
async def test_mail_of_a_killed_process_is_sent_by_another(
    database: Database, start: Start, sender: Sender, mailbox: Mailbox, has_mail: bool
) -> None:
    await database.execute(new_mail(Kind.EMAIL_TAKEN, EMAIL))
    # Another one that is not due.
    later = datetime.now(UTC) + timedelta(days=1)
    other = new_mail(Kind.EMAIL_TAKEN, "dave@example.com").values(next_attempt_at=later)
    await database.execute(other)
    gate = Gate()
    with smtp_server(gate) as working, socket.create_server((HOST, 0)) as silent:
        async with start(working if has_mail else silent.getsockname()[1]) as process:
            if has_mail:
                # The server has it, and has not said so yet.
                await until(lambda: bool(gate.peers))
            else:
                await until(lambda: bool(select([silent], [], [], 0)[0]))
            process.kill()
            assert await process.wait() == -signal.SIGKILL
    claimed, _ = await stored(database)
    assert (claimed["recipient"], claimed["attempts"]) == (EMAIL, 1)
    assert await received(sender, mailbox) == {}
    due = update(mails).where(mails.c.id == claimed["id"]).values(next_attempt_at=datetime.now(UTC))
    await database.execute(due)
    assert (await received(sender, mailbox)).keys() == {EMAIL}
    assert [row["recipient"] for row in await stored(database)] == ["dave@example.com"]


async def test_stopped_process_finishes_its_mail(database: Database, start: Start) -> None:
    for _ in range(2):
        await database.execute(new_mail(Kind.EMAIL_TAKEN, EMAIL))
    gate = Gate()
    with smtp_server(gate) as port:
        async with start(port) as process:
            await until(lambda: bool(gate.peers))
            process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.2)
            assert process.returncode is None
            gate.is_open = True
            assert await process.wait() == 0
    assert len(gate.received) == 1
    assert [row["attempts"] for row in await stored(database)] == [0]


async def test_single_run_exits_with_1_after_an_error(
    database: Database, start: Start, mailbox: Mailbox
) -> None:
    await database.execute(new_mail(Kind.EMAIL_TAKEN, EMAIL))
    with socket.socket() as down:
        down.bind((HOST, 0))
        async with start(down.getsockname()[1], mail.ONCE) as process:
            assert await process.wait() == 1
    assert [row["attempts"] for row in await stored(database)] == [1]
    await database.execute(update(mails).values(next_attempt_at=datetime.now(UTC)))
    with smtp_server(mailbox) as port:
        async with start(port, mail.ONCE) as process:
            assert await process.wait() == 0
    assert await stored(database) == []
    assert [address for address, _ in mailbox.received] == [EMAIL]


@pytest.mark.parametrize("arguments", [["--twice"], [mail.ONCE, "now"]])
def test_other_arguments_print_the_usage(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert mail.main(arguments) == 2
    assert "python -m scripts.mail" in capsys.readouterr().err
