"""The outbox: mails are rows, stored in the transaction of what they tell of.

A sender claims a mail by moving its next attempt into the future, and deletes it when the SMTP server
has accepted it. If the process dies in between, the mail is sent at the next attempt.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Insert, delete, insert, select, update

from app.db.database import Database, ResultRow
from app.mail.tokens import Purpose, create_token
from app.models.outgoing_mail import OutgoingMail
from app.models.row import Id
from app.models.user_row import UserId

# Longer than an attempt takes. Each pause is twice as long as the one before.
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_PAUSE_AFTER = 6

mails = OutgoingMail.__table__


class Kind(StrEnum):
    """What a mail is about; its text is in the templates with this name."""

    VERIFY_EMAIL = Purpose.VERIFY_EMAIL
    CHANGE_EMAIL = Purpose.CHANGE_EMAIL
    RESET_PASSWORD = Purpose.RESET_PASSWORD
    ADDRESS_TAKEN = "address_taken"
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    PASSWORD_CHANGED = "password_changed"


# Of the mails that contain a token.
PURPOSES = {Kind(purpose.value): purpose for purpose in Purpose}


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that this process is about to send."""

    id: Id
    kind: Kind
    recipient: str
    created_at: datetime
    token: str | None


def _ascii_address(address: str) -> str:
    """Write the domain of an address in ASCII, which all servers understand; not all do RFC 6531."""
    try:
        return validate_email(address, check_deliverability=False).ascii_email or address
    except EmailNotValidError:
        # It was valid when the user registered.
        return address


def new_mail(kind: Kind, recipient: str, user_id: UserId | None = None) -> Insert:
    """Build the statement that adds a mail to the outbox."""
    now = datetime.now(UTC)
    return insert(mails).values(
        kind=kind.value,
        recipient=recipient,
        user_id=user_id,
        created_at=now,
        attempts=0,
        next_attempt_at=now,
    )


def _pause(attempts: int) -> timedelta:
    """Return the pause after an attempt, by the number of those before."""
    if attempts >= LONGEST_PAUSE_AFTER:
        return LONGEST_PAUSE
    return FIRST_PAUSE * (1 << attempts)


async def claim(database: Database) -> Mail | None:
    """Return a mail that is due, which no other sender gets, or None.

    Its token is created now, so that it is stored only as a hash.
    """
    # Not those of a newer version, which is being deployed or was taken back.
    known = mails.c.kind.in_([kind.value for kind in Kind])
    due = (
        select(mails)
        .where(mails.c.next_attempt_at <= datetime.now(UTC), known)
        .order_by(mails.c.next_attempt_at)
        .limit(1)
    )
    # A transaction of SQLite would wait for other writers.
    while await database.execute(due):
        async with database.transaction() as connection:
            # Skips rows that another sender claims now; SQLite has one writer at a time.
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
                    # Nobody has the address, or the link would be outdated.
                    await connection.execute(delete(mails).where(same))
                    continue
            values = {
                "attempts": row["attempts"] + 1,
                # From now on: many mails may have been removed before.
                "next_attempt_at": datetime.now(UTC) + _pause(row["attempts"]),
            }
            await connection.execute(update(mails).where(same).values(values))
        recipient = _ascii_address(row["recipient"])
        return Mail(row["id"], kind, recipient, row["created_at"], token)
    return None


async def remove(database: Database, mail_id: Id) -> None:
    """Remove a mail that was sent, or is given up."""
    await database.execute(delete(mails).where(mails.c.id == mail_id))
