"""The routes that send mails, and the mails as an SMTP server receives them."""

import asyncio
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from pydantic import HttpUrl, SecretStr
from sqlalchemy import select, update

from app.db.database import Database
from app.mail import sender as senders
from app.mail.outbox import Kind, new_mail
from app.mail.sender import Sender
from app.mail.settings import MailSettings
from app.models.email_token import EmailToken
from app.models.outgoing_mail import OutgoingMail
from tests.mail.servers import HOST, PASSWORD, USERNAME, Mailbox, authenticate, smtp_server
from tests.support.accounts import AUTH, EMAIL, bearer, log_in, me, new_session, refresh, register
from tests.support.error_shape import error_of
from tests.support.probe import open_client

NEW_PASSWORD = "another horse battery staple"
NEW_EMAIL = "dave@example.com"
TOKEN = re.compile(r"https://app\.example\.com/[a-z-]+\?token=([\w-]{43})")

mails = OutgoingMail.__table__
tokens = EmailToken.__table__


@pytest.fixture
def mailbox() -> Mailbox:
    """What the SMTP server receives."""
    return Mailbox()


@pytest.fixture
def port(mailbox: Mailbox) -> Iterator[int]:
    """The port of the SMTP server."""
    with smtp_server(mailbox) as port:
        yield port


def settings_of(port: int, credentials: str = "", scheme: str = "smtp") -> MailSettings:
    """Return settings for a server on this host."""
    return MailSettings(
        smtp_url=SecretStr(f"{scheme}://{credentials}{HOST}:{port}"),
        mail_from="App <no-reply@example.com>",
        frontend_url=HttpUrl("https://app.example.com"),
    )


@pytest.fixture
def sender(database: Database, port: int) -> Sender:
    """The sender of the outbox."""
    return Sender(database, settings_of(port))


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
    """Return what the app has logged, without the server."""
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


async def test_address_is_verified(
    client: AsyncClient, database: Database, sender: Sender, mailbox: Mailbox
) -> None:
    access_token = (await new_session(client))["access_token"]
    assert (await me(client, access_token)).json()["email_verified"] is False
    mail = (await received(sender, mailbox))[EMAIL]
    token = token_of(mail)
    assert mail["From"] == "App <no-reply@example.com>"
    assert await stored(database) == []
    [row] = await database.execute(select(tokens))
    assert token not in map(str, row.values())
    assert (await post(client, "/verify-email", token=token)).status_code == 204
    assert (await me(client, access_token)).json()["email_verified"] is True
    error_of(await post(client, "/verify-email", token=token), 422, "INVALID_TOKEN")
    await post(client, "/verify-email/resend", email=EMAIL)
    assert await received(sender, mailbox) == {}


async def test_taken_address_is_only_told_by_mail(
    client: AsyncClient, sender: Sender, mailbox: Mailbox
) -> None:
    first = await register(client)
    assert "token=" in text_of((await received(sender, mailbox))[EMAIL])
    second = await register(client, password=NEW_PASSWORD)
    assert (first.status_code, first.text) == (second.status_code, second.text)
    assert "already" in (await received(sender, mailbox))[EMAIL]["Subject"]
    assert (await log_in(client)).status_code == 200


@pytest.mark.parametrize("with_token", [True, False])
async def test_link_is_sent_again(
    client: AsyncClient, sender: Sender, mailbox: Mailbox, with_token: bool
) -> None:
    access_token = (await new_session(client))["access_token"]
    older = token_of((await received(sender, mailbox))[EMAIL])
    if with_token:
        headers = bearer(access_token)
        response = await client.post(f"{AUTH}/verify-email/resend", headers=headers)
    else:
        response = await post(client, "/verify-email/resend", email=EMAIL)
    assert response.status_code == 202
    newer = token_of((await received(sender, mailbox))[EMAIL])
    assert older != newer
    assert (await post(client, "/verify-email", token=older)).status_code == 204


async def test_link_is_sent_again_to_users_only(client: AsyncClient) -> None:
    error_of(await client.post(f"{AUTH}/verify-email/resend"), 401, "UNAUTHORIZED")


async def test_forgotten_password(client: AsyncClient, sender: Sender, mailbox: Mailbox) -> None:
    session = await new_session(client)
    await received(sender, mailbox)
    known = await post(client, "/forgot-password", email="CAROL@example.com")
    unknown = await post(client, "/forgot-password", email="unknown@example.com")
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    assert known.status_code == 202
    found = await received(sender, mailbox)
    assert found.keys() == {EMAIL}
    token = token_of(found[EMAIL])
    weak = await post(client, "/reset-password", token=token, new_password="password1")
    assert error_of(weak, 422, "VALIDATION_ERROR").keys() == {"new_password"}
    response = await post(client, "/reset-password", token=token, new_password=NEW_PASSWORD)
    assert response.status_code == 204
    assert (await me(client, session["access_token"])).status_code == 401
    assert (await refresh(client, session["refresh_token"])).status_code == 401
    assert (await log_in(client)).status_code == 401
    tokens = (await log_in(client, password=NEW_PASSWORD)).json()
    assert (await me(client, tokens["access_token"])).json()["email_verified"] is True
    assert "changed" in (await received(sender, mailbox))[EMAIL]["Subject"]


async def test_reset_ends_older_tokens(
    client: AsyncClient, database: Database, sender: Sender, mailbox: Mailbox
) -> None:
    await register(client)
    verification = token_of((await received(sender, mailbox))[EMAIL])
    found = []
    for _ in range(2):
        await post(client, "/forgot-password", email=EMAIL)
        found.append(token_of((await received(sender, mailbox))[EMAIL]))
    await post(client, "/forgot-password", email=EMAIL)
    body = {"token": found[1], "new_password": NEW_PASSWORD}
    assert (await post(client, "/reset-password", **body)).status_code == 204
    error_of(await post(client, "/verify-email", token=verification), 422, "INVALID_TOKEN")
    body = {"token": found[0], "new_password": "a third horse battery"}
    error_of(await post(client, "/reset-password", **body), 422, "INVALID_TOKEN")
    # What was asked for before is not sent any more, but the notice is.
    await received(sender, mailbox)
    assert ["changed" in message["Subject"] for _, message in mailbox.received] == [True]


async def test_change_of_the_password_ends_tokens(
    client: AsyncClient, sender: Sender, mailbox: Mailbox
) -> None:
    access_token = (await new_session(client))["access_token"]
    await post(client, "/forgot-password", email=EMAIL)
    await sender.send_due()
    [token] = [token_of(mail) for _, mail in mailbox.received if "password" in mail["Subject"]]
    body = {"current_password": "correct horse battery staple", "new_password": NEW_PASSWORD}
    assert (await post(client, "/password", access_token, **body)).status_code == 204
    body = {"token": token, "new_password": "a third horse battery"}
    error_of(await post(client, "/reset-password", **body), 422, "INVALID_TOKEN")
    assert "changed" in (await received(sender, mailbox))[EMAIL]["Subject"]


async def test_change_of_the_address(client: AsyncClient, sender: Sender, mailbox: Mailbox) -> None:
    access_token = (await new_session(client))["access_token"]
    await post(client, "/forgot-password", email=EMAIL)
    await sender.send_due()
    [older] = [token_of(mail) for _, mail in mailbox.received if "password" in mail["Subject"]]
    body = {"new_email": NEW_EMAIL, "current_password": "wrong"}
    error_of(await post(client, "/change-email", access_token, **body), 403, "FORBIDDEN")
    body["current_password"] = "correct horse battery staple"
    assert (await post(client, "/change-email", access_token, **body)).status_code == 202
    found = await received(sender, mailbox)
    assert found.keys() == {EMAIL, NEW_EMAIL}
    assert TOKEN.search(text_of(found[EMAIL])) is None
    assert (await me(client, access_token)).json()["email"] == EMAIL
    assert (await post(client, "/verify-email", token=token_of(found[NEW_EMAIL]))).is_success
    user = (await me(client, access_token)).json()
    assert (user["email"], user["email_verified"]) == (NEW_EMAIL, True)
    # Whoever reads the mails of the old address cannot take the account.
    body = {"token": older, "new_password": NEW_PASSWORD}
    error_of(await post(client, "/reset-password", **body), 422, "INVALID_TOKEN")


async def test_address_that_is_taken_meanwhile(
    client: AsyncClient, sender: Sender, mailbox: Mailbox
) -> None:
    access_token = (await new_session(client))["access_token"]
    body = {"new_email": NEW_EMAIL, "current_password": "correct horse battery staple"}
    assert (await post(client, "/change-email", access_token, **body)).status_code == 202
    token = token_of((await received(sender, mailbox))[NEW_EMAIL])
    await register(client, NEW_EMAIL)
    error_of(await post(client, "/verify-email", token=token), 422, "INVALID_TOKEN")
    assert (await me(client, access_token)).json()["email"] == EMAIL


@pytest.mark.parametrize("lifetime", [timedelta(minutes=29), timedelta(minutes=31)])
async def test_tokens_expire(
    client: AsyncClient, database: Database, sender: Sender, mailbox: Mailbox, lifetime: timedelta
) -> None:
    await register(client)
    await received(sender, mailbox)
    await post(client, "/forgot-password", email=EMAIL)
    token = token_of((await received(sender, mailbox))[EMAIL])
    await database.execute(update(tokens).values(expires_at=tokens.c.expires_at), {})
    for row in await database.execute(select(tokens)):
        earlier = {"expires_at": row["expires_at"] - lifetime}
        await database.execute(update(tokens).where(tokens.c.id == row["id"]).values(earlier))
    response = await post(client, "/reset-password", token=token, new_password=NEW_PASSWORD)
    assert response.status_code == (204 if lifetime < timedelta(minutes=30) else 422)


async def test_each_token_has_one_purpose(
    client: AsyncClient, sender: Sender, mailbox: Mailbox
) -> None:
    await register(client)
    verification = token_of((await received(sender, mailbox))[EMAIL])
    await post(client, "/forgot-password", email=EMAIL)
    reset = token_of((await received(sender, mailbox))[EMAIL])
    error_of(await post(client, "/verify-email", token=reset), 422, "INVALID_TOKEN")
    body = {"token": verification, "new_password": NEW_PASSWORD}
    error_of(await post(client, "/reset-password", **body), 422, "INVALID_TOKEN")


async def test_one_of_parallel_uses_succeeds(
    client: AsyncClient, sender: Sender, mailbox: Mailbox
) -> None:
    await register(client)
    token = token_of((await received(sender, mailbox))[EMAIL])
    responses = await asyncio.gather(*(post(client, "/verify-email", token=token) for _ in "12345"))
    assert sorted(response.status_code for response in responses) == [204, 422, 422, 422, 422]


async def test_login_can_require_a_verified_address(
    app: FastAPI, database: Database, sender: Sender, mailbox: Mailbox
) -> None:
    async with open_client(app, require_verified_email=True) as client:
        await register(client)
        error_of(await log_in(client), 403, "EMAIL_NOT_VERIFIED")
        assert (await log_in(client, password="wrong")).status_code == 401
        token = token_of((await received(sender, mailbox))[EMAIL])
        await post(client, "/verify-email", token=token)
        assert (await log_in(client)).status_code == 200


async def test_mails_are_limited_by_email(app: FastAPI, database: Database) -> None:
    async with open_client(app, rate_limit_mail="2/hour") as client:
        for path in ("/forgot-password", "/verify-email/resend"):
            email = f"{path[1:5]}@example.com"
            responses = [await post(client, path, email=email) for _ in range(3)]
            assert [response.status_code for response in responses] == [202, 202, 429]
        responses = [await register(client, "new@example.com") for _ in range(3)]
        assert [response.status_code for response in responses] == [202, 202, 429]
    assert len(await stored(database)) == 6


async def test_mails_are_limited_by_address(app: FastAPI, database: Database) -> None:
    async with open_client(app, rate_limit_mail="1/hour") as client:
        emails = [f"user{number}@example.com" for number in range(11)]
        responses = [await post(client, "/forgot-password", email=email) for email in emails]
        assert [response.status_code for response in responses] == [202] * 10 + [429]


async def test_server_that_is_down(
    database: Database, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    await database.execute(new_mail(Kind.ADDRESS_TAKEN, EMAIL))
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


async def test_server_that_hangs(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "ATTEMPT_TIMEOUT_SECONDS", 0.2)
    await database.execute(new_mail(Kind.ADDRESS_TAKEN, EMAIL))
    with socket.create_server((HOST, 0)) as silent:
        sender = Sender(database, settings_of(silent.getsockname()[1]))
        assert not await sender.send_due()
    assert [row["attempts"] for row in await stored(database)] == [1]


@pytest.mark.parametrize(("answer", "left"), [("550 unknown", 0), ("450 try later", 1)])
async def test_recipient_that_is_refused(
    database: Database, caplog: pytest.LogCaptureFixture, answer: str, left: int
) -> None:
    await database.execute(new_mail(Kind.ADDRESS_TAKEN, EMAIL))
    with smtp_server(Mailbox(f"{answer} <{EMAIL}>")) as port:
        assert await Sender(database, settings_of(port)).send_due()
    assert len(await stored(database)) == left
    assert answer[:3] in caplog.text
    assert EMAIL not in own_log(caplog)


async def test_mail_is_given_up_after_a_day(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await database.execute(new_mail(Kind.ADDRESS_TAKEN, EMAIL))
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
    await database.execute(new_mail(Kind.ADDRESS_TAKEN, EMAIL))
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
        await database.execute(new_mail(Kind.ADDRESS_TAKEN, email))
    others = [Sender(database, settings_of(port)) for _ in range(3)]
    await asyncio.gather(*(sender.send_due() for sender in others))
    assert sorted(address for address, _ in mailbox.received) == sorted(emails)


async def test_server_that_requires_a_login(database: Database, mailbox: Mailbox) -> None:
    options: dict[str, Any] = {"authenticator": authenticate, "auth_require_tls": False}
    with smtp_server(mailbox, **options) as port:
        await database.execute(new_mail(Kind.ADDRESS_TAKEN, EMAIL))
        assert not await Sender(database, settings_of(port, "app:wrong@")).send_due()
        await database.execute(update(mails).values(next_attempt_at=datetime.now(UTC)))
        credentials = "app:p%40ss%3Aword%2F%3F@"
        assert PASSWORD not in repr(settings_of(port, credentials))
        assert await Sender(database, settings_of(port, credentials)).send_due()
    assert mailbox.logins == [USERNAME]


async def test_known_and_unknown_addresses_take_the_same_work(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(client)
    execute, statements = Database.execute, []

    async def counted(database: Database, statement: Any, parameters: Any = None) -> Any:
        statements.append(str(statement))
        return await execute(database, statement, parameters)

    monkeypatch.setattr(Database, "execute", counted)
    found = []
    for email in (EMAIL, "unknown@example.com"):
        statements.clear()
        await post(client, "/forgot-password", email=email)
        found.append(list(statements))
    assert found[0] == found[1]
    assert len(found[0]) == 1
