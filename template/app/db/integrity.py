"""What the database refuses, told as an error of the API."""

import re

from sqlalchemy.exc import DBAPIError, StatementError
from sqlmodel import SQLModel

from app.errors import Conflict, ValidationFailed

# SQLSTATEs of PostgreSQL, and what SQLite says in their place.
UNIQUE_VIOLATION = "23505"
FOREIGN_KEY_VIOLATION = "23503"
SQLITE_UNIQUE = re.compile(r"UNIQUE constraint failed: (.+)")
SQLITE_FOREIGN_KEY = "FOREIGN KEY constraint failed"

# A last line behind the schemas.
REFUSED = {
    "54000": "A value is too long to be indexed.",
    "22": "A value cannot be stored.",
}


class BrokenReference(ValidationFailed):
    """A row refers to what is gone, or would be left with nothing to refer to."""

    default_detail = "What this refers to is gone."


def _state(error: DBAPIError) -> str:
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state
    if SQLITE_UNIQUE.search(str(error.orig)):
        return UNIQUE_VIOLATION
    return FOREIGN_KEY_VIOLATION if SQLITE_FOREIGN_KEY in str(error.orig) else ""


def _unique_columns(error: DBAPIError) -> list[str]:
    """Name the columns of the unique index that a statement broke, without the owner's."""
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


def _is_unfit(error: StatementError | ValueError | OverflowError) -> bool:
    """Tell whether a column or a driver cannot hold a value."""
    cause = getattr(error, "orig", None)
    reasons = (error, cause, getattr(cause, "__cause__", None))
    return any(isinstance(reason, ValueError | OverflowError) for reason in reasons)


def refusal(error: StatementError | ValueError | OverflowError) -> Exception:
    """Return what to raise for an error of a statement: itself where it is not the client's."""
    if _is_unfit(error):
        return ValidationFailed("A value cannot be stored.")
    if not isinstance(error, DBAPIError):
        return error
    state = _state(error)
    if state == UNIQUE_VIOLATION:
        return Conflict(errors=dict.fromkeys(_unique_columns(error), "This value is taken."))
    if state == FOREIGN_KEY_VIOLATION:
        return BrokenReference()
    for refused, detail in REFUSED.items():
        if state.startswith(refused):
            return ValidationFailed(detail)
    return error
