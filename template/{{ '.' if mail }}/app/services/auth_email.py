"""Operations on users that send mails, or use the tokens of mails.

No response tells whether a user has an email: the statements are the same, and only the sender of the
outbox looks for the user.
"""

from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from app.auth.passwords import SLOTS, hash_password
from app.auth.sessions import end_sessions
from app.db.integrity import refusal
from app.errors import Conflict, InvalidToken
from app.mail.outbox import Kind, delete_mails, new_mail
from app.mail.tokens import Purpose, end_tokens, find_token, use_token
from app.models.user import User
from app.models.user_row import UserId
from app.schemas import auth_email as schemas
from app.schemas.auth import UserCreate
from app.services.auth import (
    AuthContext,
    check_current_password,
    check_new_password,
    count_notice,
    get_row,
    new_user,
    wrong_password,
)

# `on_conflict_do_nothing` is not part of the generic `insert`.
INSERTS: dict[str, type[postgresql.Insert | sqlite.Insert]] = {
    "postgresql": postgresql.Insert,
    "sqlite": sqlite.Insert,
}

users = User.__table__


async def register(context: AuthContext, data: UserCreate) -> None:
    """Add a user who registers, and send a mail, also if the email is taken.

    Raises:
        RateLimited: too many registrations came from this client address, or with this email.
        ValidationFailed: the password is easy to guess.
    """
    await context.rate_limits.count_registration(context.address)
    await context.rate_limits.count_mail(data.email)
    check_new_password("password", data.password, data.email)
    async with SLOTS:
        password_hash = await hash_password(data.password)
    insert = INSERTS[context.database.engine.dialect.name](users)
    values = new_user(data, password_hash)
    added = insert.values(values).on_conflict_do_nothing(index_elements=["email"])
    async with context.database.transaction() as connection:
        user_id = await connection.scalar(added.returning(users.c.id))
        kind = Kind.EMAIL_TAKEN if user_id is None else Kind.VERIFY_EMAIL
        await connection.execute(new_mail(kind, data.email, user_id))


async def resend_verification(context: AuthContext, email: str) -> None:
    """Send the verification link again, if a user has this email and has not verified it.

    Raises:
        RateLimited: too many mails were requested for this email, or from this client address.
    """
    await context.rate_limits.count_mail(email, context.address)
    await context.database.execute(new_mail(Kind.VERIFY_EMAIL, email))


async def resend_own_verification(context: AuthContext, user_id: UserId) -> None:
    """Send the verification link again to a user, if their email is not verified.

    Raises:
        RateLimited: too many mails were requested for this email, or from this client address.
        Unauthorized: the user was deleted.
    """
    user = await get_row(context, user_id)
    await resend_verification(context, user["email"])


async def forgot_password(context: AuthContext, email: str) -> None:
    """Send a link for a new password, if a user has this email.

    Raises:
        RateLimited: too many mails were requested for this email, or from this client address.
    """
    await context.rate_limits.count_mail(email, context.address)
    await context.database.execute(new_mail(Kind.RESET_PASSWORD, email))


async def verify_email(context: AuthContext, token: str) -> None:
    """Verify the email that a token was sent to; a new email replaces that of the user.

    Raises:
        InvalidToken: the token is not valid, or another user has the new email by now.
    """
    purposes = (Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)
    # Not locked yet: concurrent requests lock the user first, so that none waits for another in turn.
    found = await find_token(context.database, token, purposes)
    is_new = found["purpose"] == Purpose.CHANGE_EMAIL
    same = [
        users.c.id == found["user_id"],
        users.c.password_changed_at == found["password_changed_at"],
        users.c.disabled_at.is_(None),
    ]
    if not is_new:
        same.append(users.c.email == found["email"])
    values = {"email": found["email"], "email_verified": True}
    try:
        async with context.database.transaction() as connection:
            if is_new:
                await delete_mails(connection, found["user_id"])
            changed = await connection.execute(update(users).where(*same).values(values))
            if not changed.rowcount:
                raise InvalidToken
            await use_token(connection, token, purposes)
            if is_new:
                # Links in mails to the old email must not give access to the account.
                await end_tokens(connection, found["user_id"])
    except DBAPIError as error:
        refused = refusal(error)
        raise (InvalidToken() if isinstance(refused, Conflict) else refused) from error


async def reset_password(context: AuthContext, data: schemas.PasswordRecovery) -> None:
    """Set a new password, and end all sessions of the user.

    This also verifies the email, because the token was sent to it.

    Raises:
        InvalidToken: the token is not valid.
        ValidationFailed: the password is easy to guess.
    """
    purposes = (Purpose.RESET_PASSWORD,)
    # Before the transaction, which must not wait for a hash.
    found = await find_token(context.database, data.token, purposes)
    check_new_password("new_password", data.new_password, found["email"])
    async with SLOTS:
        password_hash = await hash_password(data.new_password)
    async with context.database.transaction() as connection:
        same = (
            users.c.id == found["user_id"],
            users.c.email == found["email"],
            users.c.password_changed_at == found["password_changed_at"],
            users.c.disabled_at.is_(None),
        )
        values = {
            "password_hash": password_hash,
            "password_changed_at": datetime.now(UTC),
            "email_verified": True,
        }
        changed = await connection.execute(update(users).where(*same).values(values))
        if not changed.rowcount:
            raise InvalidToken
        await use_token(connection, data.token, purposes)
        await end_sessions(connection, found["user_id"])
        await connection.execute(new_mail(Kind.PASSWORD_CHANGED, found["email"], found["user_id"]))


async def change_email(context: AuthContext, user_id: UserId, data: schemas.EmailChange) -> None:
    """Send a link to a new email, and a notice to the current one.

    Raises:
        Forbidden: the current password is wrong, or was changed meanwhile.
        RateLimited: too many attempts failed, or too many mails were requested.
    """
    user = await get_row(context, user_id)
    await check_current_password(context, user, data.current_password)
    await context.rate_limits.count_mail(data.new_email, context.address)
    await count_notice(context, user)
    # Otherwise, a password that has just been replaced would be enough for a link.
    same = (
        users.c.id == user_id,
        users.c.password_changed_at == user["password_changed_at"],
        users.c.disabled_at.is_(None),
    )
    current = select(users.c.id).where(*same).with_for_update(read=True)
    async with context.database.transaction() as connection:
        if await connection.scalar(current) is None:
            raise wrong_password()
        taken = await connection.scalar(select(users.c.id).where(users.c.email == data.new_email))
        kind = Kind.CHANGE_EMAIL if taken is None else Kind.EMAIL_TAKEN
        await connection.execute(new_mail(kind, data.new_email, user_id))
        await connection.execute(new_mail(Kind.EMAIL_CHANGE_REQUESTED, user["email"], user_id))
