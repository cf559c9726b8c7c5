"""The outbox: mails are rows, stored in the transaction of the change that they are about.

A sender claims a mail by moving its next attempt into the future, and deletes it when the SMTP server
has accepted it. If the process dies in between, the mail is sent at the next attempt.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Insert, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database, ResultRow
from app.mail.tokens import Purpose, create_token
from app.models.outgoing_mail import OutgoingMail
from app.models.row import Id
from app.models.user_row import UserId

# Between the attempts to send a mail; the last one repeats. The first is longer than an attempt takes.
PAUSES = [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 16, 32, 60)]

mails = OutgoingMail.__table__


class Kind(StrEnum):
    """What a mail is about; the files of its text have this name."""

    VERIFY_EMAIL = Purpose.VERIFY_EMAIL
    CHANGE_EMAIL = Purpose.CHANGE_EMAIL
    RESET_PASSWORD = Purpose.RESET_PASSWORD
    EMAIL_TAKEN = "email_taken"
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    PASSWORD_CHANGED = "password_changed"


# The purposes of the tokens, for the kinds of mails that have one.
PURPOSES = {Kind(purpose.value): purpose for purpose in Purpose}


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that this process is about to send."""

    id: Id
    kind: Kind
    recipient: str
    created_at: datetime
    token: str | None


def _ascii_email(email: str) -> str:
    """Encode the domain of an email in ASCII, because not all servers support RFC 6531."""
    try:
        return validate_email(email, check_deliverability=False).ascii_email or email
    except EmailNotValidError:
        # It was valid when it was stored, by the rules of that time.
        return email


def new_mail(kind: Kind, recipient: str, user_id: UserId | None = None) -> Insert:
    """Build the statement that adds a mail to the outbox.

    Without a `user_id`, the sender finds the user by the email.
    """
    now = datetime.now(UTC)
    return insert(mails).values(
        kind=kind.value,
        recipient=recipient,
        user_id=user_id,
        created_at=now,
        attempts=0,
        next_attempt_at=now,
    )


async def delete_mails(connection: AsyncConnection, user_id: UserId) -> None:
    """Delete the mails of a user that have not been sent, and would contain a token.

    Before the row of the user is changed: a sender locks a mail, and then the user.
    """
    pending = (mails.c.user_id == user_id, mails.c.kind.in_([each.value for each in Purpose]))
    await connection.execute(delete(mails).where(*pending))


async def claim(database: Database) -> Mail | None:
    """Claim a mail that is due, or return None; no other sender gets it.

    Its token is created now, and only the hash of the token is stored.
    """
    # Not those of a newer version of the app, which is being deployed or was rolled back.
    known = mails.c.kind.in_([kind.value for kind in Kind])
    due = (
        select(mails)
        .where(mails.c.next_attempt_at <= datetime.now(UTC), known)
        .order_by(mails.c.next_attempt_at)
        .limit(1)
    )
    # Looks before it opens a transaction, which would wait for other writers on SQLite.
    while await database.execute(due):
        async with database.transaction() as connection:
            # Skips rows that another sender is claiming; SQLite has one writer at a time.
            found = await connection.execute(due.with_for_update(skip_locked=True))
            row = found.mappings().first()
            if row is None:
                return None
            same = mails.c.id == row["id"]
            kind = Kind(row["kind"])
            token = None
            if (purpose := PURPOSES.get(kind)) is not None:
                token = await create_token(connection, purpose, ResultRow(row))
                if token is None:
                    # No user has this email, or the link would not be valid any more.
                    await connection.execute(delete(mails).where(same))
                    continue
            pause = PAUSES[min(row["attempts"], len(PAUSES) - 1)]
            values = {
                "attempts": row["attempts"] + 1,
                # The time is read again, because removing other mails may have taken long.
                "next_attempt_at": datetime.now(UTC) + pause,
            }
            await connection.execute(update(mails).where(same).values(values))
        recipient = _ascii_email(row["recipient"])
        return Mail(row["id"], kind, recipient, row["created_at"], token)
    return None


async def remove(database: Database, mail_id: Id) -> None:
    """Remove a mail that was sent or is given up."""
    await database.execute(delete(mails).where(mails.c.id == mail_id))
