"""Tokens in mails: when they become invalid, and what they can be used for."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from app.db.database import Database
from app.mail.sender import Sender
from app.models.email_token import EmailToken
from app.models.user import User
from app.services.auth import disable_user
from tests.mail.servers import Mailbox
from tests.mail.steps import post, received, token_of
from tests.support.accounts import EMAIL, me, new_session, register
from tests.support.error_shape import error_of
from tests.support.identity import PASSWORD

NEW_PASSWORD = "another horse battery staple"
NEW_EMAIL = "dave@example.com"

tokens = EmailToken.__table__
users = User.__table__

# Routes that use tokens, and how long these are valid.
LIFETIMES = {"/verify-email": timedelta(hours=48), "/reset-password": timedelta(minutes=30)}


async def body_with_token(
    client: AsyncClient, sender: Sender, mailbox: Mailbox, path: str
) -> dict[str, str]:
    """Register a user, and return a body for this route with a token from a mail."""
    await register(client)
    if path == "/verify-email":
        return {"token": token_of((await received(sender, mailbox))[EMAIL])}
    await received(sender, mailbox)
    await post(client, "/forgot-password", email=EMAIL)
    token = token_of((await received(sender, mailbox))[EMAIL])
    return {"token": token, "new_password": NEW_PASSWORD}


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
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert (await post(client, "/password", access_token, **body)).status_code == 204
    body = {"token": token, "new_password": "a third horse battery"}
    error_of(await post(client, "/reset-password", **body), 422, "INVALID_TOKEN")
    assert "changed" in (await received(sender, mailbox))[EMAIL]["Subject"]


async def test_token_is_invalid_if_the_new_email_is_taken_meanwhile(
    client: AsyncClient, sender: Sender, mailbox: Mailbox
) -> None:
    access_token = (await new_session(client))["access_token"]
    body = {"new_email": NEW_EMAIL, "current_password": PASSWORD}
    assert (await post(client, "/change-email", access_token, **body)).status_code == 202
    token = token_of((await received(sender, mailbox))[NEW_EMAIL])
    await register(client, NEW_EMAIL)
    error_of(await post(client, "/verify-email", token=token), 422, "INVALID_TOKEN")
    assert (await me(client, access_token)).json()["email"] == EMAIL


@pytest.mark.parametrize("path", LIFETIMES)
async def test_tokens_expire(
    client: AsyncClient, database: Database, sender: Sender, mailbox: Mailbox, path: str
) -> None:
    body = await body_with_token(client, sender, mailbox, path)
    rows = await database.execute(select(tokens))
    minute = timedelta(minutes=1)
    for age, status in ((LIFETIMES[path] + minute, 422), (LIFETIMES[path] - minute, 204)):
        for row in rows:
            earlier = {"expires_at": row["expires_at"] - age}
            await database.execute(update(tokens).where(tokens.c.id == row["id"]).values(earlier))
        assert (await post(client, path, **body)).status_code == status


async def test_change_of_the_email_ends_other_changes(
    client: AsyncClient, sender: Sender, mailbox: Mailbox
) -> None:
    access_token = (await new_session(client))["access_token"]
    links = {}
    for email in (NEW_EMAIL, "erin@example.com"):
        body = {"new_email": email, "current_password": PASSWORD}
        assert (await post(client, "/change-email", access_token, **body)).status_code == 202
        links[email] = token_of((await received(sender, mailbox))[email])
    body = {"new_email": "frank@example.com", "current_password": PASSWORD}
    assert (await post(client, "/change-email", access_token, **body)).status_code == 202
    assert (await post(client, "/verify-email", token=links[NEW_EMAIL])).status_code == 204
    response = await post(client, "/verify-email", token=links["erin@example.com"])
    error_of(response, 422, "INVALID_TOKEN")
    assert (await received(sender, mailbox)).keys() == {EMAIL}


@pytest.mark.parametrize("path", LIFETIMES)
async def test_tokens_are_bound_to_the_email(
    client: AsyncClient, database: Database, sender: Sender, mailbox: Mailbox, path: str
) -> None:
    body = await body_with_token(client, sender, mailbox, path)
    await database.execute(update(users).values(email=NEW_EMAIL))
    error_of(await post(client, path, **body), 422, "INVALID_TOKEN")


async def test_disabled_users_get_no_new_password(
    client: AsyncClient, database: Database, sender: Sender, mailbox: Mailbox
) -> None:
    body = await body_with_token(client, sender, mailbox, "/reset-password")
    await disable_user(database, EMAIL)
    error_of(await post(client, "/reset-password", **body), 422, "INVALID_TOKEN")
    await post(client, "/forgot-password", email=EMAIL)
    assert await received(sender, mailbox) == {}


async def test_disabled_users_keep_their_email(
    client: AsyncClient, database: Database, sender: Sender, mailbox: Mailbox
) -> None:
    access_token = (await new_session(client))["access_token"]
    found = [token_of((await received(sender, mailbox))[EMAIL])]
    body = {"new_email": NEW_EMAIL, "current_password": PASSWORD}
    assert (await post(client, "/change-email", access_token, **body)).status_code == 202
    found.append(token_of((await received(sender, mailbox))[NEW_EMAIL]))
    await disable_user(database, EMAIL)
    for token in found:
        error_of(await post(client, "/verify-email", token=token), 422, "INVALID_TOKEN")


async def test_expired_tokens_are_deleted(
    client: AsyncClient, database: Database, sender: Sender
) -> None:
    await register(client)
    await sender.send_due()
    await database.execute(update(tokens).values(expires_at=datetime.now(UTC)))
    await register(client, NEW_EMAIL)
    await sender.send_due()
    assert [row["email"] for row in await database.execute(select(tokens))] == [NEW_EMAIL]


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


@pytest.mark.parametrize("path", LIFETIMES)
async def test_one_of_parallel_uses_succeeds(
    client: AsyncClient, sender: Sender, mailbox: Mailbox, path: str
) -> None:
    body = await body_with_token(client, sender, mailbox, path)
    responses = await asyncio.gather(*(post(client, path, **body) for _ in range(5)))
    assert sorted(response.status_code for response in responses) == [204, 422, 422, 422, 422]
    error_of(await post(client, path, **body), 422, "INVALID_TOKEN")
