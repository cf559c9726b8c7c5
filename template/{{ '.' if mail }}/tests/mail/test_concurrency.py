"""Requests about one user at the same time."""

import asyncio
from typing import Any

import pytest
from httpx import AsyncClient

from app.db.database import Database
from app.mail.sender import Sender
from app.schemas.auth import PasswordReset
from app.services.auth import check_current_password, disable_user, reset_password
from tests.mail.servers import Mailbox
from tests.mail.steps import post, received, stored, token_of
from tests.support.accounts import AUTH, EMAIL, bearer, new_session
from tests.support.error_shape import error_of
from tests.support.identity import PASSWORD

NEW_PASSWORD = "another horse battery staple"
NEW_EMAILS = [f"carol{number}@example.com" for number in range(4)]


async def links_to_new_emails(
    client: AsyncClient, sender: Sender, mailbox: Mailbox, access_token: str
) -> list[str]:
    """Ask for changes to several emails, and return the tokens."""
    for email in NEW_EMAILS:
        body = {"new_email": email, "current_password": PASSWORD}
        assert (await post(client, "/change-email", access_token, **body)).status_code == 202
    found = await received(sender, mailbox)
    return [token_of(found[email]) for email in NEW_EMAILS]


async def test_one_of_parallel_changes_of_the_email_succeeds(
    client: AsyncClient, sender: Sender, mailbox: Mailbox
) -> None:
    access_token = (await new_session(client))["access_token"]
    found = await links_to_new_emails(client, sender, mailbox, access_token)
    requests = [post(client, "/verify-email", token=token) for token in found]
    statuses = [response.status_code for response in await asyncio.gather(*requests)]
    assert sorted(statuses) == [204, 422, 422, 422]


async def test_user_who_is_deleted_while_links_are_used(
    client: AsyncClient, sender: Sender, mailbox: Mailbox
) -> None:
    access_token = (await new_session(client))["access_token"]
    found = await links_to_new_emails(client, sender, mailbox, access_token)
    deleted, *used = await asyncio.gather(
        client.delete(f"{AUTH}/me", headers=bearer(access_token)),
        *(post(client, "/verify-email", token=token) for token in found),
    )
    assert deleted.status_code == 204
    assert {response.status_code for response in used} <= {204, 422}


@pytest.mark.parametrize("event", ["reset", "disabled", "deleted"])
async def test_user_who_is_changed_while_the_password_is_verified(
    client: AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    access_token = (await new_session(client))["access_token"]

    async def slow(*arguments: Any) -> None:
        await check_current_password(*arguments)
        if event == "reset":
            await reset_password(database, PasswordReset(email=EMAIL, password=NEW_PASSWORD))
        elif event == "disabled":
            await disable_user(database, EMAIL)
        else:
            await client.delete(f"{AUTH}/me", headers=bearer(access_token))

    monkeypatch.setattr("app.services.auth_email.check_current_password", slow)
    body = {"new_email": NEW_EMAILS[0], "current_password": PASSWORD}
    response = await post(client, "/change-email", access_token, **body)
    error_of(response, 403, "FORBIDDEN")
    assert NEW_EMAILS[0] not in {mail["recipient"] for mail in await stored(database)}
