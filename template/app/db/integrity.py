"""Errors of the database as errors of the API: conflicts, and values that cannot be stored."""

import re

from sqlalchemy.exc import DBAPIError, StatementError
from sqlmodel import SQLModel

from app.errors import Conflict, Unauthorized, ValidationFailed

# SQLSTATE codes of PostgreSQL, and the messages of SQLite.
UNIQUE_VIOLATION = "23505"
FOREIGN_KEY_VIOLATION = "23503"
NOT_NULL_VIOLATION = "23502"
SQLITE_NOT_NULL = "NOT NULL constraint failed"
SQLITE_UNIQUE = re.compile(r"UNIQUE constraint failed: (.+)")
SQLITE_FOREIGN_KEY = "FOREIGN KEY constraint failed"

# Values that the schemas did not reject.
REJECTED = {
    "54000": "A value is too long for an index.",
    "22": "A value cannot be stored.",
}


class BrokenReference(ValidationFailed):
    """A row refers to a missing row, or would after this change."""

    default_detail = "A referenced row does not exist."


def _state(error: DBAPIError) -> str:
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state
    if SQLITE_UNIQUE.search(str(error.orig)):
        return UNIQUE_VIOLATION
    return FOREIGN_KEY_VIOLATION if SQLITE_FOREIGN_KEY in str(error.orig) else ""


def _unique_columns(error: DBAPIError) -> list[str]:
    """Return the columns of the unique index that a statement violates, without the owner."""
    if found := SQLITE_UNIQUE.search(str(error.orig)):
        names = [column.rpartition(".")[2] for column in found[1].split(", ")]
    else:
        name = getattr(getattr(error.orig, "__cause__", None), "constraint_name", None)
        names = [
            column.name
            for table in SQLModel.metadata.tables.values()
            for index in table.indexes
            if index.name == name
            for column in index.columns
        ]
    return [name for name in names if name != "user_id"]


def _lacks_owner(error: DBAPIError) -> bool:
    """Return whether a row would have no owner, because the session of the caller has ended."""
    cause = getattr(error.orig, "__cause__", None)
    failed = getattr(cause, "column_name", None) or str(error.orig).rpartition(".")[2]
    null = _state(error) == NOT_NULL_VIOLATION or SQLITE_NOT_NULL in str(error.orig)
    return null and failed == "user_id"


def _is_unfit(error: StatementError | ValueError | OverflowError) -> bool:
    """Return whether a column or driver cannot store a value."""
    cause = getattr(error, "orig", None)
    reasons = (error, cause, getattr(cause, "__cause__", None))
    return any(isinstance(reason, ValueError | OverflowError) for reason in reasons)


def refusal(error: StatementError | ValueError | OverflowError) -> Exception:
    """Return the error to raise for that of a statement: the same if the client did not cause it."""
    if _is_unfit(error):
        return ValidationFailed("A value cannot be stored.")
    if not isinstance(error, DBAPIError):
        return error
    if _lacks_owner(error):
        return Unauthorized()
    state = _state(error)
    if state == UNIQUE_VIOLATION:
        return Conflict(errors=dict.fromkeys(_unique_columns(error), "Already in use."))
    if state == FOREIGN_KEY_VIOLATION:
        return BrokenReference()
    details = [detail for rejected, detail in REJECTED.items() if state.startswith(rejected)]
    return ValidationFailed(details[0]) if details else error
