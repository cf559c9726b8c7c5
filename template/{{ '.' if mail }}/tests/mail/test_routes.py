"""The routes that send mails, and those that use their tokens."""

from itertools import pairwise
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import select, update

from app.auth.rate_limits import RateLimits
from app.db.database import Database
from app.errors import RateLimited
from app.mail.sender import Sender
from app.models.email_token import EmailToken
from app.models.user import User
from app.schemas.auth import PasswordReset, UserCreate
from app.services.auth import create_user, reset_password
from tests.mail.servers import Mailbox
from tests.mail.steps import TOKEN, post, received, stored, text_of, token_of
from tests.support.accounts import (
    AUTH,
    EMAIL,
    auth_settings,
    bearer,
    log_in,
    me,
    new_session,
    refresh,
    register,
)
from tests.support.error_shape import error_of
from tests.support.identity import PASSWORD
from tests.support.probe import open_client

NEW_PASSWORD = "another horse battery staple"
NEW_EMAIL = "dave@example.com"

tokens = EmailToken.__table__
users = User.__table__


async def test_token_verifies_the_email_once(
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


async def test_only_a_mail_tells_that_an_email_is_taken(
    client: AsyncClient, sender: Sender, mailbox: Mailbox
) -> None:
    first = await register(client)
    assert "token=" in text_of((await received(sender, mailbox))[EMAIL])
    second = await register(client, password=NEW_PASSWORD)
    assert (first.status_code, first.text) == (second.status_code, second.text)
    assert "already" in (await received(sender, mailbox))[EMAIL]["Subject"]
    assert (await log_in(client)).status_code == 200


@pytest.mark.parametrize("with_token", [True, False])
async def test_verification_link_is_sent_again(
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


async def test_resending_without_an_email_requires_an_access_token(client: AsyncClient) -> None:
    error_of(await client.post(f"{AUTH}/verify-email/resend"), 401, "UNAUTHORIZED")


async def test_forgotten_password_is_replaced(
    client: AsyncClient, sender: Sender, mailbox: Mailbox
) -> None:
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
    session = (await log_in(client, password=NEW_PASSWORD)).json()
    assert (await me(client, session["access_token"])).json()["email_verified"] is True
    notice = (await received(sender, mailbox))[EMAIL]
    assert "changed" in notice["Subject"]
    assert NEW_PASSWORD not in notice.as_string()


async def test_new_email_is_used_after_its_verification(
    client: AsyncClient, sender: Sender, mailbox: Mailbox
) -> None:
    access_token = (await new_session(client))["access_token"]
    await post(client, "/forgot-password", email=EMAIL)
    await sender.send_due()
    [older] = [token_of(mail) for _, mail in mailbox.received if "password" in mail["Subject"]]
    body = {"new_email": NEW_EMAIL, "current_password": "wrong"}
    error_of(await post(client, "/change-email", access_token, **body), 403, "FORBIDDEN")
    body["current_password"] = PASSWORD
    assert (await post(client, "/change-email", access_token, **body)).status_code == 202
    found = await received(sender, mailbox)
    assert found.keys() == {EMAIL, NEW_EMAIL}
    assert TOKEN.search(text_of(found[EMAIL])) is None
    assert (await me(client, access_token)).json()["email"] == EMAIL
    assert (await post(client, "/verify-email", token=token_of(found[NEW_EMAIL]))).is_success
    user = (await me(client, access_token)).json()
    assert (user["email"], user["email_verified"]) == (NEW_EMAIL, True)
    # A reader of the mails of the old email cannot take the account.
    body = {"token": older, "new_password": NEW_PASSWORD}
    error_of(await post(client, "/reset-password", **body), 422, "INVALID_TOKEN")


async def test_only_a_mail_tells_that_a_new_email_is_taken(
    client: AsyncClient, sender: Sender, mailbox: Mailbox
) -> None:
    await register(client, NEW_EMAIL)
    access_token = (await new_session(client))["access_token"]
    await received(sender, mailbox)
    body = {"new_email": NEW_EMAIL, "current_password": PASSWORD}
    assert (await post(client, "/change-email", access_token, **body)).status_code == 202
    found = await received(sender, mailbox)
    assert found.keys() == {EMAIL, NEW_EMAIL}
    assert "already" in found[NEW_EMAIL]["Subject"]


async def test_notices_to_an_email_that_is_not_verified_are_limited(
    app: FastAPI, database: Database
) -> None:
    # It may be another person's.
    async with open_client(app, rate_limit_mail="4/hour") as client:
        access_token = (await new_session(client))["access_token"]
        passwords = [PASSWORD, NEW_PASSWORD, PASSWORD]
        for current, new in pairwise(passwords):
            body = {"current_password": current, "new_password": new}
            assert (await post(client, "/password", access_token, **body)).status_code == 204
        body = {"new_email": NEW_EMAIL, "current_password": PASSWORD}
        assert (await post(client, "/change-email", access_token, **body)).status_code == 202
        refused = await post(client, "/change-email", access_token, **body)
        error_of(refused, 429, "RATE_LIMITED")
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        refused = await post(client, "/password", access_token, **body)
        error_of(refused, 429, "RATE_LIMITED")
        assert len([mail for mail in await stored(database) if mail["recipient"] == EMAIL]) == 4
        await database.execute(update(users).values(email_verified=True))
        assert (await post(client, "/password", access_token, **body)).status_code == 204


async def test_users_whom_an_operator_creates_are_verified(database: Database) -> None:
    user = await create_user(database, UserCreate(email=EMAIL, password=PASSWORD))
    assert user.email_verified
    assert await stored(database) == []


async def test_reset_by_an_operator_sends_a_notice(
    database: Database, sender: Sender, mailbox: Mailbox
) -> None:
    await create_user(database, UserCreate(email=EMAIL, password=PASSWORD))
    await reset_password(database, PasswordReset(email=EMAIL, password=NEW_PASSWORD))
    assert "changed" in (await received(sender, mailbox))[EMAIL]["Subject"]


async def test_login_can_require_a_verified_email(
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


async def test_mails_are_limited_by_client_address(app: FastAPI, database: Database) -> None:
    async with open_client(app, rate_limit_mail="1/hour") as client:
        emails = [f"user{number}@example.com" for number in range(11)]
        responses = [await post(client, "/forgot-password", email=email) for email in emails]
        assert [response.status_code for response in responses] == [202] * 10 + [429]


async def test_limited_client_does_not_exhaust_the_limits_of_emails() -> None:
    limits = RateLimits(auth_settings(rate_limit_mail="1/hour"))
    for number in range(10):
        await limits.count_mail(f"user{number}@example.com", "192.0.2.1")
    with pytest.raises(RateLimited):
        await limits.count_mail(EMAIL, "192.0.2.1")
    await limits.count_mail(EMAIL, "192.0.2.2")


async def test_request_for_a_new_password_changes_nothing(
    client: AsyncClient, sender: Sender, mailbox: Mailbox
) -> None:
    access_token = (await new_session(client))["access_token"]
    before = (await me(client, access_token)).json()
    for _ in range(3):
        await post(client, "/forgot-password", email=EMAIL)
        response = await post(client, "/reset-password", token="x" * 43, new_password=NEW_PASSWORD)
        error_of(response, 422, "INVALID_TOKEN")
    assert await sender.send_due()
    assert (await me(client, access_token)).json() == before
    assert (await log_in(client)).status_code == 200


async def test_links_do_not_depend_on_the_host_header(
    client: AsyncClient, sender: Sender, mailbox: Mailbox
) -> None:
    await register(client)
    await received(sender, mailbox)
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    body = {"email": EMAIL}
    response = await client.post(f"{AUTH}/forgot-password", json=body, headers=headers)
    assert response.status_code == 202
    message = (await received(sender, mailbox))[EMAIL]
    assert token_of(message)
    assert "evil" not in message.as_string()


async def test_known_and_unknown_emails_run_the_same_statement(
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
