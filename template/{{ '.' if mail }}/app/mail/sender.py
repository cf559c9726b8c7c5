"""The sender: sends the mails of the outbox, in the background of the app or in a worker."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Protocol

from aiosmtplib import (
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from app.db.database import Database
from app.errors import ServiceUnavailable
from app.mail.messages import compose
from app.mail.outbox import Mail, claim, remove
from app.mail.settings import MailSettings
from app.mail.smtp import SmtpTransport, read_smtp_url

# For connecting and sending; less than the first pause of the outbox, after which another sender may
# claim the mail.
ATTEMPT_TIMEOUT_SECONDS = 30
POLL_SECONDS = 1
LONGEST_POLL_SECONDS = 60
STOP_TIMEOUT_SECONDS = 5
GIVE_UP_AFTER = timedelta(days=1)
# Replies with this code or a higher one are permanent errors (RFC 5321, section 4.2.1).
PERMANENT = 500

logger = logging.getLogger(__name__)


class Transport(Protocol):
    """Something that sends mails."""

    async def send(self, message: EmailMessage, recipient: str) -> None:
        """Send a mail."""

    async def close(self) -> None:
        """Close the connection, if there is one."""


class LogTransport:
    """Writes mails to the log instead of sending them."""

    async def send(self, message: EmailMessage, recipient: str) -> None:
        """Write a mail to the log."""
        body = message.get_body(("plain",))
        text = body.get_content() if isinstance(body, EmailMessage) else ""
        logger.info("mail to %s: %s\n\n%s", recipient, message["Subject"], text)

    async def close(self) -> None:
        """Do nothing."""


def transport_of(settings: MailSettings) -> Transport:
    """Return the transport for these settings: the SMTP server, or the log without one."""
    if settings.smtp_url is None:
        return LogTransport()
    return SmtpTransport(read_smtp_url(settings.smtp_url.get_secret_value()))


def _is_permanent(error: Exception) -> bool:
    """Return whether the server will never accept a mail."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(refused.code >= PERMANENT for refused in error.recipients)
    if isinstance(error, SMTPDataError):
        return error.code >= PERMANENT
    return isinstance(error, SMTPNotSupported)


def _reason(error: Exception) -> str:
    """Describe an error without the text of the server, which may contain the email."""
    codes: list[int] = []
    if isinstance(error, SMTPRecipientsRefused):
        codes = [refused.code for refused in error.recipients]
    elif isinstance(error, SMTPResponseException):
        codes = [error.code]
    return " ".join([type(error).__name__, *map(str, codes)])


class Sender:
    """Sends the mails of the outbox of one database."""

    def __init__(
        self, database: Database, settings: MailSettings, transport: Transport | None = None
    ) -> None:
        self._database = database
        self._settings = settings
        self._transport = transport or transport_of(settings)
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Stop after the current mail."""
        self._stopping.set()

    async def run(self) -> None:
        """Send mails as they become due, until the sender is stopped."""
        pause = POLL_SECONDS
        while not self._stopping.is_set():
            succeeded = await self.send_once()
            pause = POLL_SECONDS if succeeded else min(pause * 2, LONGEST_POLL_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def send_once(self) -> bool:
        """Send all mails that are due, and log any error; return whether there was none."""
        try:
            return await self.send_due()
        except ServiceUnavailable:
            logger.warning("the database does not answer: no mails are sent")
        except Exception:
            # Whatever it was, the mails stay in the outbox.
            logger.exception("mails could not be sent")
        return False

    async def send_due(self) -> bool:
        """Send all mails that are due over one connection; return False if the server fails."""
        try:
            while not self._stopping.is_set() and (mail := await claim(self._database)):
                if not await self._send(mail):
                    return False
        finally:
            await self._transport.close()
        return True

    async def _send(self, mail: Mail) -> bool:
        """Send a mail; return whether the server can be used for the next one."""
        try:
            async with asyncio.timeout(ATTEMPT_TIMEOUT_SECONDS):
                await self._transport.send(compose(mail, self._settings), mail.recipient)
        except (SMTPException, OSError) as error:
            await self._fail(mail, error)
            return isinstance(error, SMTPRecipientsRefused | SMTPDataError | SMTPNotSupported)
        except Exception as error:
            # Such as an unknown placeholder in a template: the other mails can be sent.
            logger.exception("mail %s (%s) could not be composed", mail.id, mail.kind)
            await self._fail(mail, error)
            return True
        await remove(self._database, mail.id)
        return True

    async def _fail(self, mail: Mail, error: Exception) -> None:
        """Leave a mail for its next attempt, or give it up."""
        reason = _reason(error)
        if _is_permanent(error) or datetime.now(UTC) >= mail.created_at + GIVE_UP_AFTER:
            await remove(self._database, mail.id)
            logger.error("mail %s (%s) is given up: %s", mail.id, mail.kind, reason)
        else:
            logger.warning("mail %s (%s) was not sent yet: %s", mail.id, mail.kind, reason)


@asynccontextmanager
async def running(sender: Sender) -> AsyncIterator[None]:
    """Run a sender in the background; its last mail has `STOP_TIMEOUT_SECONDS` to be sent."""
    task = asyncio.create_task(sender.run())
    try:
        yield
    finally:
        sender.stop()
        await asyncio.wait([task], timeout=STOP_TIMEOUT_SECONDS)
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def sending(database: Database, settings: MailSettings) -> AsyncIterator[None]:
    """Send mails in the background, unless the settings leave that to a worker."""
    if not settings.send_mail:
        yield
        return
    async with running(Sender(database, settings)):
        yield
