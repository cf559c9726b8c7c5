"""Requests about mails, and the mails that result from them."""

import re
from email.message import EmailMessage
from typing import Any

import pytest
from httpx import AsyncClient, Response
from pydantic import HttpUrl, SecretStr
from sqlalchemy import select

from app.db.database import Database
from app.mail.sender import Sender
from app.mail.settings import MailSettings
from app.models.outgoing_mail import OutgoingMail
from tests.mail.servers import HOST, Mailbox
from tests.support.accounts import AUTH, bearer

TOKEN = re.compile(r"https://app\.example\.com/[a-z-]+\?token=([\w-]{43})")

mails = OutgoingMail.__table__


def settings_of(
    port: int, credentials: str = "", scheme: str = "smtp", host: str = HOST
) -> MailSettings:
    """Return settings for an SMTP server on this host."""
    return MailSettings(
        smtp_url=SecretStr(f"{scheme}://{credentials}{host}:{port}"),
        mail_from="App <no-reply@example.com>",
        frontend_url=HttpUrl("https://app.example.com"),
    )


async def post(client: AsyncClient, path: str, access_token: str = "", /, **body: Any) -> Response:
    """Send a request."""
    headers = bearer(access_token) if access_token else {}
    return await client.post(f"{AUTH}{path}", json=body, headers=headers)


async def stored(database: Database) -> list[dict[str, Any]]:
    """Return the mails of the outbox."""
    return await database.execute(select(mails).order_by(mails.c.id))


async def received(sender: Sender, mailbox: Mailbox) -> dict[str, EmailMessage]:
    """Send what is due, and return the mails by their recipients."""
    mailbox.received.clear()
    assert await sender.send_due()
    return dict(mailbox.received)


def own_log(caplog: pytest.LogCaptureFixture) -> str:
    """Return what the app has logged, without the lines of the SMTP server."""
    records = [record for record in caplog.records if record.name.startswith("app.")]
    assert records
    return "\n".join(record.getMessage() for record in records)


def text_of(message: EmailMessage) -> str:
    """Return the text of a mail."""
    body = message.get_body(("plain",))
    assert isinstance(body, EmailMessage)
    return str(body.get_content())


def token_of(message: EmailMessage) -> str:
    """Return the token in a mail; its HTML has the same."""
    body = message.get_body(("html",))
    assert isinstance(body, EmailMessage)
    [token] = TOKEN.findall(text_of(message))
    assert set(TOKEN.findall(str(body.get_content()))) == {token}
    return str(token)
