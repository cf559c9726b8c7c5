"""Operations on users and their sessions, before there is a scope.

Those that take the database instead of a context are for operators: `scripts/users.py`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, literal, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.auth.bearer import invalid_token
from app.auth.passwords import SLOTS, hash_password, verify_password
from app.auth.rate_limits import RateLimits
from app.auth.sessions import (
    end_other_sessions,
    end_session,
    end_sessions,
    open_session,
    renew_session,
)
from app.auth.settings import AuthSettings
from app.auth.tokens import AccessToken, create_access_token, expires_in
from app.auth.weak_passwords import weakness
from app.db.database import Database, ResultRow
from app.db.integrity import refusal
from app.errors import Forbidden, NotFound, Unauthorized, ValidationFailed
from app.models.datetimes import UtcDateTime
from app.models.user import User
from app.models.user_row import UserId
from app.schemas import auth as schemas

users = User.__table__


@dataclass(frozen=True, slots=True)
class AuthContext:
    """Settings and state for an operation, and the address of the client."""

    database: Database
    settings: AuthSettings
    rate_limits: RateLimits
    address: str

    @property
    def session_lifetime(self) -> timedelta:
        """Return the lifetime of a refresh token."""
        return timedelta(days=self.settings.refresh_token_expire_days)


async def register(context: AuthContext, data: schemas.UserCreate) -> schemas.UserRead:
    """Add a user who registers.

    Raises:
        Conflict: the email is already in use.
        RateLimited: too many registrations came from this address.
        ValidationFailed: the password is easy to guess.
    """
    await context.rate_limits.count_registration(context.address)
    return await create_user(context.database, data)


async def create_user(database: Database, data: schemas.UserCreate) -> schemas.UserRead:
    """Add a user.

    Raises:
        Conflict: the email is already in use.
        ValidationFailed: the password is easy to guess.
    """
    _check_new_password("password", data.password, data.email)
    async with SLOTS:
        password_hash = await hash_password(data.password)
    now = datetime.now(UTC)
    values = {
        "email": data.email,
        "name": data.name,
        "password_hash": password_hash,
        "password_changed_at": now,
        "created_at": now,
    }
    statement = insert(users).values(values).returning(users)
    try:
        [row] = await database.execute(statement)
    except DBAPIError as error:
        raise refusal(error) from error
    return schemas.UserRead(**row)


async def login(context: AuthContext, data: schemas.Credentials) -> schemas.Tokens:
    """Open a session.

    Raises:
        Unauthorized: the email or the password is wrong, or the user is disabled.
        RateLimited: too many logins failed.
    """
    user = await _find(context, users.c.email == data.email, users.c.disabled_at.is_(None))
    if not await _verify(context, data.email, data.password, user) or user is None:
        raise wrong_credentials()
    opened = await open_session(context.database, user, context.session_lifetime)
    if opened is None:
        raise wrong_credentials()
    return _tokens(context, *opened)


def wrong_credentials() -> Unauthorized:
    """Return the error of a failed login, which does not say what is wrong."""
    return Unauthorized("The email or the password is wrong.")


async def refresh(context: AuthContext, refresh_token: str) -> schemas.Tokens:
    """Exchange a refresh token for new tokens.

    Raises:
        Unauthorized: it has expired or was used before, or its session has ended.
    """
    renewed = await renew_session(context.database, refresh_token, context.session_lifetime)
    if renewed is None:
        raise invalid_token("refresh_token", detail="The refresh token is not valid")
    return _tokens(context, *renewed)


async def logout(context: AuthContext, refresh_token: str) -> None:
    """End the session of a refresh token, if there is one."""
    await end_session(context.database, refresh_token)


async def get_user(context: AuthContext, user_id: UserId) -> schemas.UserRead:
    """Return a user."""
    return schemas.UserRead(**await _get(context, user_id))


async def update_user(
    context: AuthContext, user_id: UserId, data: schemas.UserUpdate
) -> schemas.UserRead:
    """Update the fields that are sent."""
    changes = data.model_dump()
    if not changes:
        return await get_user(context, user_id)
    statement = update(users).where(users.c.id == user_id).values(changes).returning(users)
    rows = await context.database.execute(statement)
    if not rows:
        raise invalid_token("session_ended")
    return schemas.UserRead(**rows[0])


async def delete_user(context: AuthContext, user_id: UserId) -> None:
    """Delete a user and all their data."""
    await context.database.execute(delete(users).where(users.c.id == user_id))


async def change_password(
    context: AuthContext, token: AccessToken, data: schemas.PasswordChange
) -> None:
    """Change the password, and end the other sessions.

    Raises:
        Forbidden: the current password is wrong.
        RateLimited: too many attempts failed.
        ValidationFailed: the new password is easy to guess.
    """
    user = await _get(context, token.user_id)
    _check_new_password("new_password", data.new_password, user["email"])
    if not await _verify(context, user["email"], data.current_password, user):
        raise _wrong_password()
    async with SLOTS:
        password_hash = await hash_password(data.new_password)
    # Only if the verified password is still current: of concurrent changes, one succeeds.
    same = (
        users.c.id == token.user_id,
        users.c.password_changed_at == user["password_changed_at"],
    )
    values = {"password_hash": password_hash, "password_changed_at": datetime.now(UTC)}
    async with context.database.transaction() as connection:
        result = await connection.execute(update(users).where(*same).values(values))
        if not result.rowcount:
            raise _wrong_password()
        await end_other_sessions(connection, token.user_id, token.session_id)


async def disable_user(database: Database, email: str) -> None:
    """End all sessions of a user, and reject new ones.

    Raises:
        NotFound: no user has this email.
    """
    since = func.coalesce(users.c.disabled_at, literal(datetime.now(UTC), UtcDateTime))
    async with database.transaction() as connection:
        user_id = await _change(connection, email, disabled_at=since)
        await end_sessions(connection, user_id)


async def enable_user(database: Database, email: str) -> None:
    """Let a disabled user log in again.

    Raises:
        NotFound: no user has this email.
    """
    async with database.transaction() as connection:
        await _change(connection, email, disabled_at=None)


async def revoke_sessions(database: Database, email: str) -> None:
    """End all sessions of a user, who can log in again.

    Raises:
        NotFound: no user has this email.
    """
    async with database.transaction() as connection:
        # Changes nothing, but waits for a login that is about to open a session.
        user_id = await _change(connection, email, email=email)
        await end_sessions(connection, user_id)


async def reset_password(database: Database, data: schemas.PasswordReset) -> None:
    """Change the password of a user, and end all their sessions.

    Raises:
        NotFound: no user has this email.
        ValidationFailed: the password is easy to guess.
    """
    _check_new_password("password", data.password, data.email)
    async with SLOTS:
        password_hash = await hash_password(data.password)
    values = {"password_hash": password_hash, "password_changed_at": datetime.now(UTC)}
    async with database.transaction() as connection:
        user_id = await _change(connection, data.email, **values)
        await end_sessions(connection, user_id)


async def _change(connection: AsyncConnection, email: str, /, **values: Any) -> UserId:
    """Change the row of a user, which locks it, and return the id."""
    statement = update(users).where(users.c.email == email).values(values).returning(users.c.id)
    user_id: UserId | None = await connection.scalar(statement)
    if user_id is None:
        raise NotFound(f"No user has the email {email}.")
    return user_id


def _check_new_password(field: str, password: str, email: str) -> None:
    if reason := weakness(password, email):
        raise ValidationFailed(errors={field: reason})


def _wrong_password() -> Forbidden:
    return Forbidden("The current password is wrong.", errors={"current_password": "Wrong."})


def _tokens(context: AuthContext, token: AccessToken, refresh_token: str) -> schemas.Tokens:
    return schemas.Tokens(
        access_token=create_access_token(context.settings, token),
        refresh_token=refresh_token,
        expires_in=expires_in(context.settings),
    )


async def _find(context: AuthContext, *conditions: ColumnElement[bool]) -> ResultRow | None:
    rows = await context.database.execute(select(users).where(*conditions))
    return rows[0] if rows else None


async def _get(context: AuthContext, user_id: UserId) -> ResultRow:
    user = await _find(context, users.c.id == user_id)
    if user is None:
        raise invalid_token("session_ended")
    return user


async def _verify(context: AuthContext, email: str, password: str, user: ResultRow | None) -> bool:
    """Verify a password, count failures, and renew a hash with other parameters.

    The limit is checked within a slot: of many concurrent attempts, at most as many as there are
    slots pass before their failures are counted.
    """
    async with SLOTS:
        await context.rate_limits.check_login(email, context.address)
        stored = user["password_hash"] if user else None
        verified, renewed = await verify_password(password, stored)
        if not verified:
            await context.rate_limits.count_failed_login(email, context.address)
    if verified and renewed:
        same = (users.c.email == email, users.c.password_hash == stored)
        await context.database.execute(update(users).where(*same).values(password_hash=renewed))
    return verified
