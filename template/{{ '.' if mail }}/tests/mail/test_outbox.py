"""Claims of mails by senders: which mails they get, and what other transactions see meanwhile."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import select

from app.db.database import Database
from app.mail.outbox import PAUSES, Kind, claim, new_mail
from app.mail.tokens import create_token
from app.models.outgoing_mail import OutgoingMail
from tests.mail.steps import stored
from tests.support.accounts import AUTH, EMAIL, bearer, new_session
from tests.support.databases import needs_server

OTHER_EMAIL = "dave@example.com"

mails = OutgoingMail.__table__


@needs_server
async def test_mail_that_another_sender_claims_is_skipped(database: Database) -> None:
    for email in (EMAIL, OTHER_EMAIL):
        await database.execute(new_mail(Kind.EMAIL_TAKEN, email))
    first = select(mails).where(mails.c.recipient == EMAIL).with_for_update()
    async with database.transaction() as other:
        await other.execute(first)
        mail = await claim(database)
        assert mail is not None
        assert mail.recipient == OTHER_EMAIL
        assert await claim(database) is None


async def test_mails_of_a_newer_version_are_left(database: Database) -> None:
    newer = new_mail(Kind.EMAIL_TAKEN, EMAIL).values(kind="newer")
    await database.execute(newer)
    await database.execute(new_mail(Kind.EMAIL_TAKEN, OTHER_EMAIL))
    mail = await claim(database)
    assert mail is not None
    assert mail.recipient == OTHER_EMAIL
    assert await claim(database) is None
    assert [row["attempts"] for row in await stored(database)] == [0, 1]


async def test_pause_begins_after_other_mails_are_removed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A mail for an unknown email, whose removal takes a minute.
    await database.execute(new_mail(Kind.RESET_PASSWORD, EMAIL))
    await database.execute(new_mail(Kind.EMAIL_TAKEN, OTHER_EMAIL))
    passed = timedelta()

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Clock":
            return super().now(tz) + passed

    async def slow(*arguments: Any) -> str | None:
        nonlocal passed
        passed = timedelta(minutes=1)
        return await create_token(*arguments)

    monkeypatch.setattr("app.mail.outbox.datetime", Clock)
    monkeypatch.setattr("app.mail.outbox.create_token", slow)
    assert await claim(database) is not None
    [row] = await stored(database)
    assert row["next_attempt_at"] > datetime.now(UTC) + PAUSES[0]


async def test_user_can_be_deleted_while_a_mail_is_claimed(
    client: AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = bearer((await new_session(client))["access_token"])
    deletions: list[asyncio.Task[Response]] = []

    async def slow(*arguments: Any) -> str | None:
        deletions.append(asyncio.create_task(client.delete(f"{AUTH}/me", headers=headers)))
        # Until the deletion waits for the mail.
        await asyncio.sleep(0.3)
        return await create_token(*arguments)

    monkeypatch.setattr("app.mail.outbox.create_token", slow)
    assert await claim(database) is not None
    [deletion] = deletions
    assert (await deletion).status_code == 204
    assert await stored(database) == []
