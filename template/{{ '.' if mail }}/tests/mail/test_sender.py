"""The sender: SMTP servers that work or fail, and what is sent to them."""

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from string import Template
from typing import Any

import pytest
import trustme
from fastapi import FastAPI
from sqlalchemy import update

from app.db.database import Database
from app.mail import sender as senders
from app.mail.messages import compose
from app.mail.outbox import PURPOSES, Kind, Mail, new_mail
from app.mail.sender import Sender, sending, transport_of
from app.mail.settings import MailSettings
from app.mail.tokens import LIFETIMES, Purpose
from app.models.outgoing_mail import OutgoingMail
from tests.mail.servers import HOST, PASSWORD, USERNAME, Mailbox, authenticate, smtp_server
from tests.mail.steps import own_log, received, settings_of, stored
from tests.support.accounts import EMAIL, register
from tests.support.api import ABSENT_ID
from tests.support.probe import open_client

mails = OutgoingMail.__table__


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority."""
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the authority."""
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """TLS of a server on localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


async def test_mail_is_sent_when_the_server_is_up_again(
    database: Database, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    await database.execute(new_mail(Kind.EMAIL_TAKEN, EMAIL))
    sender = Sender(database, settings_of(port))
    assert not await sender.send_due()
    [row] = await stored(database)
    assert row["attempts"] == 1
    assert row["next_attempt_at"] > datetime.now(UTC) + timedelta(seconds=50)
    assert "not sent yet" in caplog.text
    assert EMAIL not in own_log(caplog)
    with smtp_server(mailbox, port):
        assert await sender.send_due()
        assert mailbox.received == []
        await database.execute(update(mails).values(next_attempt_at=datetime.now(UTC)))
        assert (await received(sender, mailbox)).keys() == {EMAIL}


async def test_attempt_ends_if_the_server_does_not_answer(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(senders, "ATTEMPT_TIMEOUT_SECONDS", 0.2)
    await database.execute(new_mail(Kind.EMAIL_TAKEN, EMAIL))
    with socket.create_server((HOST, 0)) as silent:
        sender = Sender(database, settings_of(silent.getsockname()[1]))
        async with asyncio.timeout(5):
            assert not await sender.send_due()
    assert [row["attempts"] for row in await stored(database)] == [1]


@pytest.mark.parametrize(("answer", "left"), [("550 unknown", 0), ("450 try later", 1)])
async def test_mail_is_given_up_after_a_permanent_error_only(
    database: Database, caplog: pytest.LogCaptureFixture, answer: str, left: int
) -> None:
    await database.execute(new_mail(Kind.EMAIL_TAKEN, EMAIL))
    with smtp_server(Mailbox(f"{answer} <{EMAIL}>")) as port:
        assert await Sender(database, settings_of(port)).send_due()
    assert len(await stored(database)) == left
    assert answer[:3] in caplog.text
    assert EMAIL not in own_log(caplog)


async def test_mail_is_given_up_after_a_day(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await database.execute(new_mail(Kind.EMAIL_TAKEN, EMAIL))
    with smtp_server(Mailbox("450 try later")) as port:
        sender = Sender(database, settings_of(port))
        for age, left in ((timedelta(hours=23), 1), (timedelta(hours=25), 0)):
            now = datetime.now(UTC)
            values = {"created_at": now - age, "next_attempt_at": now}
            await database.execute(update(mails).values(values))
            await sender.send_due()
            assert len(await stored(database)) == left
    assert "given up" in caplog.text
    assert EMAIL not in own_log(caplog)


async def test_pauses_grow(database: Database) -> None:
    await database.execute(new_mail(Kind.EMAIL_TAKEN, EMAIL))
    pauses = []
    with smtp_server(Mailbox("450 try later")) as port:
        sender = Sender(database, settings_of(port))
        for _ in range(8):
            now = datetime.now(UTC)
            await database.execute(update(mails).values(next_attempt_at=now))
            await sender.send_due()
            [row] = await stored(database)
            pauses.append(round((row["next_attempt_at"] - now).total_seconds() / 60))
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_three_senders_send_each_mail_once(
    database: Database, port: int, mailbox: Mailbox
) -> None:
    emails = [f"user{number}@example.com" for number in range(30)]
    for email in emails:
        await database.execute(new_mail(Kind.EMAIL_TAKEN, email))
    others = [Sender(database, settings_of(port)) for _ in range(3)]
    await asyncio.gather(*(sender.send_due() for sender in others))
    assert sorted(address for address, _ in mailbox.received) == sorted(emails)


async def test_sender_logs_in(database: Database, mailbox: Mailbox) -> None:
    options: dict[str, Any] = {"authenticator": authenticate, "auth_require_tls": False}
    with smtp_server(mailbox, **options) as port:
        await database.execute(new_mail(Kind.EMAIL_TAKEN, EMAIL))
        assert not await Sender(database, settings_of(port, "app:wrong@")).send_due()
        await database.execute(update(mails).values(next_attempt_at=datetime.now(UTC)))
        credentials = "app:p%40ss%3Aword%2F%3F@"
        assert PASSWORD not in repr(settings_of(port, credentials))
        assert await Sender(database, settings_of(port, credentials)).send_due()
    assert mailbox.logins == [USERNAME]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
@pytest.mark.usefixtures("trusted")
async def test_sender_uses_tls(
    database: Database, mailbox: Mailbox, tls: ssl.SSLContext, scheme: str
) -> None:
    options: dict[str, Any] = {"authenticator": authenticate}
    if scheme == "smtp":
        options |= {"tls_context": tls, "require_starttls": True, "auth_required": True}
    else:
        options |= {"ssl_context": tls, "auth_require_tls": False}
    await database.execute(new_mail(Kind.EMAIL_TAKEN, EMAIL))
    with smtp_server(mailbox, **options) as port:
        settings = settings_of(port, f"{USERNAME}:p%40ss%3Aword%2F%3F@", scheme, host="localhost")
        assert await Sender(database, settings).send_due()
    assert mailbox.logins == [USERNAME]


async def test_unknown_certificate_is_rejected(
    database: Database, mailbox: Mailbox, tls: ssl.SSLContext
) -> None:
    await database.execute(new_mail(Kind.EMAIL_TAKEN, EMAIL))
    with smtp_server(mailbox, ssl_context=tls) as port:
        settings = settings_of(port, scheme="smtps", host="localhost")
        assert not await Sender(database, settings).send_due()
    assert mailbox.received == []


async def test_domains_are_written_in_ascii(
    database: Database, sender: Sender, mailbox: Mailbox
) -> None:
    await database.execute(new_mail(Kind.EMAIL_TAKEN, "ada@exämple.com"))
    [(address, message)] = (await received(sender, mailbox)).items()
    assert address == message["To"] == "ada@xn--exmple-cua.com"


async def test_headers_do_not_choose_the_recipient(port: int, mailbox: Mailbox) -> None:
    mail = Mail(ABSENT_ID, Kind.EMAIL_TAKEN, "bob@example.com", datetime.now(UTC), None)
    settings = settings_of(port)
    transport = transport_of(settings)
    await transport.send(compose(mail, settings), EMAIL)
    await transport.close()
    assert [address for address, _ in mailbox.received] == [EMAIL]


async def test_unknown_placeholder_fails_its_own_mail_only(
    database: Database,
    sender: Sender,
    mailbox: Mailbox,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    templates = {"email_taken.txt": "Hello $user", "layout.html": "$content"}
    monkeypatch.setattr(
        "app.mail.messages._template", lambda name: Template(templates.get(name, "Hello"))
    )
    for kind in (Kind.EMAIL_TAKEN, Kind.PASSWORD_CHANGED):
        await database.execute(new_mail(kind, EMAIL))
    assert len(await received(sender, mailbox)) == 1
    assert [row["kind"] for row in await stored(database)] == [Kind.EMAIL_TAKEN]
    assert "could not be composed" in caplog.text


async def test_mails_are_logged_if_there_is_no_server(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await database.execute(new_mail(Kind.EMAIL_TAKEN, EMAIL))
    with caplog.at_level("INFO", logger="app.mail.sender"):
        assert await Sender(database, MailSettings()).send_due()
    log = own_log(caplog)
    assert EMAIL in log
    assert "http://localhost:3000/forgot-password" in log
    assert await stored(database) == []


@pytest.mark.usefixtures("database")
async def test_app_sends_in_the_background(app: FastAPI, port: int, mailbox: Mailbox) -> None:
    settings = settings_of(port)
    changes = {"send_mail": True, **settings.model_dump(exclude={"send_mail"})}
    async with open_client(app, **changes) as client:
        await register(client)
        async with asyncio.timeout(10):
            while not mailbox.received:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert [address for address, _ in mailbox.received] == [EMAIL]


async def test_app_finishes_the_current_mail(
    app: FastAPI, database: Database, port: int, mailbox: Mailbox
) -> None:
    mailbox.pause = 0.3
    await database.execute(new_mail(Kind.EMAIL_TAKEN, EMAIL))
    async with sending(database, settings_of(port)), asyncio.timeout(10):
        while not mailbox.received:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        # The server has the mail, and has not said so yet.
        assert len(await stored(database)) == 1
    assert await stored(database) == []


@pytest.mark.parametrize("kind", Kind)
def test_mails_have_a_text_and_html_without_placeholders(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The name of an app can have a dollar, or characters that are not printable.
    monkeypatch.setattr("app.mail.messages.TITLE", "App")
    mail = Mail(ABSENT_ID, kind, EMAIL, datetime.now(UTC), "x" * 43 if kind in PURPOSES else None)
    message = compose(mail, settings_of(25))
    assert "$" not in message.as_string()
    assert message["Subject"].isprintable()
    text, html = [part for part in message.iter_parts() if isinstance(part, EmailMessage)]
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert f"<title>{message['Subject']}</title>" in html.get_content()


@pytest.mark.parametrize("purpose", Purpose)
def test_texts_contain_the_lifetime_of_the_link(purpose: Purpose) -> None:
    hours = LIFETIMES[purpose] // timedelta(hours=1)
    minutes = LIFETIMES[purpose] // timedelta(minutes=1)
    mail = Mail(ABSENT_ID, Kind(purpose.value), EMAIL, datetime.now(UTC), "token")
    for part in compose(mail, settings_of(25)).iter_parts():
        assert isinstance(part, EmailMessage)
        assert f" {f'{hours} hours' if hours else f'{minutes} minutes'}:" in part.get_content()


def test_name_of_the_app_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.mail.messages.TITLE", "A <b>&\r\nBcc: x@example.com")
    mail = Mail(ABSENT_ID, Kind.EMAIL_TAKEN, EMAIL, datetime.now(UTC), None)
    message = compose(mail, settings_of(25))
    assert message["Subject"] == "You already have an account at A <b>& Bcc: x@example.com"
    assert message["Bcc"] is None
    html = message.get_body(("html",))
    assert isinstance(html, EmailMessage)
    assert "A &lt;b&gt;&amp;" in html.get_content()
    assert "<b>" not in html.get_content()
