"""Sessions: a login opens one, refresh tokens renew it, and a logout or a replayed token ends it.

A refresh token is opaque and has two parts: the first identifies the session and stays the same, the
second is new each time. A known first part with another second part is a token that was used before
and may have been stolen, so the session ends. Only hashes are stored, and no used tokens.
"""

import hashlib
import logging
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningDelete

from app.auth.tokens import AccessToken
from app.db.database import Database, ResultRow
from app.db.expired import delete_some_expired
from app.models.datetimes import UtcDateTime
from app.models.row import Id
from app.models.session import Session
from app.models.user import User
from app.models.user_row import UserId

FAMILY_BYTES = 16
TOKEN_BYTES = 32

logger = logging.getLogger(__name__)

sessions = Session.__table__
users = User.__table__


def _hash(text: str) -> str:
    """Hash a part of a token; it is random and long enough for a fast hash."""
    return hashlib.sha256(text.encode()).hexdigest()


def _hashes(refresh_token: str) -> tuple[str, str]:
    family, _, secret = refresh_token.partition(".")
    return _hash(family), _hash(secret)


def _next_token(family: str) -> str:
    return f"{family}.{secrets.token_urlsafe(TOKEN_BYTES)}"


async def open_session(
    database: Database, user: ResultRow, lifetime: timedelta
) -> tuple[AccessToken, str] | None:
    """Open a session for a user whose password has just been verified.

    Returns None if the password has changed or the user was disabled or deleted in the meantime. The
    row of the user is locked, so that a concurrent change ends this session or prevents it.
    """
    refresh_token = _next_token(secrets.token_urlsafe(FAMILY_BYTES))
    family_hash, token_hash = _hashes(refresh_token)
    now = datetime.now(UTC)
    values = {
        "user_id": users.c.id,
        "family_hash": literal(family_hash),
        "token_hash": literal(token_hash),
        "created_at": literal(now, UtcDateTime),
        "expires_at": literal(now + lifetime, UtcDateTime),
    }
    same = (
        users.c.id == user["id"],
        users.c.password_changed_at == user["password_changed_at"],
        users.c.disabled_at.is_(None),
    )
    source = select(*values.values()).where(*same).with_for_update(read=True)
    statement = insert(sessions).from_select(list(values), source).returning(sessions.c.id)
    opened = await database.execute(statement)
    await database.execute(delete_some_expired(sessions, now))
    if not opened:
        return None
    return AccessToken(user_id=user["id"], session_id=opened[0]["id"]), refresh_token


async def renew_session(
    database: Database, refresh_token: str, lifetime: timedelta
) -> tuple[AccessToken, str] | None:
    """Exchange a refresh token for a new one; of concurrent attempts, one succeeds.

    A token that was used before ends its session.
    """
    family_hash, token_hash = _hashes(refresh_token)
    new_token = _next_token(refresh_token.partition(".")[0])
    now = datetime.now(UTC)
    statement = (
        update(sessions)
        .where(
            sessions.c.family_hash == family_hash,
            sessions.c.token_hash == token_hash,
            sessions.c.expires_at > now,
        )
        .values(token_hash=_hashes(new_token)[1], expires_at=now + lifetime)
        .returning(sessions.c.id, sessions.c.user_id)
    )
    if renewed := await database.execute(statement):
        [row] = renewed
        return AccessToken(user_id=row["user_id"], session_id=row["id"]), new_token
    for ended in await database.execute(_end_family(family_hash)):
        if ended["expires_at"] > now:
            logger.warning("used refresh token: the session of %s ends", ended["user_id"])
    return None


async def end_session(database: Database, refresh_token: str) -> None:
    """End the session of a refresh token, which may have been used before."""
    await database.execute(_end_family(_hashes(refresh_token)[0]))


def _end_family(family_hash: str) -> ReturningDelete[Any]:
    ended = delete(sessions).where(sessions.c.family_hash == family_hash)
    return ended.returning(sessions.c.user_id, sessions.c.expires_at)


async def end_other_sessions(connection: AsyncConnection, user_id: UserId, kept: Id) -> None:
    """End all sessions of a user except one."""
    others = (sessions.c.user_id == user_id, sessions.c.id != kept)
    await connection.execute(delete(sessions).where(*others))


async def end_sessions(connection: AsyncConnection, user_id: UserId) -> None:
    """End all sessions of a user."""
    await connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
