"""Tokens in mails: each has one purpose, and can be used once.

A token is bound to the email and the password of its user: it becomes invalid when either changes.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database, ResultRow
from app.db.expired import delete_some_expired
from app.errors import InvalidToken
from app.models.datetimes import UtcDateTime
from app.models.email_token import EmailToken
from app.models.user import User
from app.models.user_row import UserId

TOKEN_BYTES = 32

tokens = EmailToken.__table__
users = User.__table__


class Purpose(StrEnum):
    """What a token is for."""

    VERIFY_EMAIL = "verify_email"
    CHANGE_EMAIL = "change_email"
    RESET_PASSWORD = "reset_password"


# From the time at which the mail is sent. The texts of the mails contain these times.
LIFETIMES = {
    Purpose.VERIFY_EMAIL: timedelta(hours=48),
    Purpose.CHANGE_EMAIL: timedelta(hours=48),
    Purpose.RESET_PASSWORD: timedelta(minutes=30),
}


def _hash(token: str) -> str:
    """Hash a token; it is random and long enough for a fast hash."""
    return hashlib.sha256(token.encode()).hexdigest()


async def create_token(
    connection: AsyncConnection, purpose: Purpose, mail: ResultRow
) -> str | None:
    """Create the token of a mail, or return None if there is no user for it, or not any more.

    The row of the user is locked, so that a concurrent change ends this token or prevents it.
    """
    now = datetime.now(UTC)
    conditions = [
        # A change of the password since the request makes the link invalid.
        users.c.password_changed_at <= mail["created_at"],
        users.c.disabled_at.is_(None),
    ]
    if mail["user_id"] is not None:
        conditions.append(users.c.id == mail["user_id"])
    if purpose != Purpose.CHANGE_EMAIL:
        conditions.append(users.c.email == mail["recipient"])
    if purpose == Purpose.VERIFY_EMAIL:
        conditions.append(users.c.email_verified.is_(False))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    values = {
        "user_id": users.c.id,
        "purpose": literal(purpose.value),
        "token_hash": literal(_hash(token)),
        "email": literal(mail["recipient"]),
        "password_changed_at": users.c.password_changed_at,
        "expires_at": literal(now + LIFETIMES[purpose], UtcDateTime),
    }
    source = select(*values.values()).where(*conditions).with_for_update(read=True)
    created = await connection.execute(
        insert(tokens).from_select(list(values), source).returning(tokens.c.id)
    )
    found = created.first() is not None
    await connection.execute(delete_some_expired(tokens, now))
    return token if found else None


def _is_valid(token: str, purposes: Collection[Purpose]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for a token that can be used."""
    return (
        tokens.c.token_hash == _hash(token),
        tokens.c.purpose.in_([purpose.value for purpose in purposes]),
        tokens.c.expires_at > datetime.now(UTC),
    )


async def find_token(database: Database, token: str, purposes: Collection[Purpose]) -> ResultRow:
    """Return the row of a token without using it.

    Raises:
        InvalidToken: it is unknown, was used, has expired, or has another purpose.
    """
    rows = await database.execute(select(tokens).where(*_is_valid(token, purposes)))
    if not rows:
        raise InvalidToken
    return rows[0]


async def use_token(connection: AsyncConnection, token: str, purposes: Collection[Purpose]) -> None:
    """Delete a token of a user, whose row is locked; of concurrent attempts, one succeeds.

    Raises:
        InvalidToken: it is unknown, was used, has expired, or has another purpose.
    """
    used = await connection.execute(delete(tokens).where(*_is_valid(token, purposes)))
    if not used.rowcount:
        raise InvalidToken


async def end_tokens(connection: AsyncConnection, user_id: UserId) -> None:
    """End all tokens of a user, whose row is locked: none is added meanwhile."""
    await connection.execute(delete(tokens).where(tokens.c.user_id == user_id))
