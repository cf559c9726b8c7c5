"""What the database refuses, told as an error of the API."""

import re

from sqlalchemy.exc import DBAPIError, StatementError
from sqlmodel import SQLModel

from app.errors import Conflict, ValidationFailed

UNIQUE_VIOLATION = "23505"
FOREIGN_KEY_VIOLATION = "23503"
PROGRAM_LIMIT_EXCEEDED = "54000"
DATA_EXCEPTION_CLASS = "22"
SQLITE_UNIQUE = re.compile(r"UNIQUE constraint failed: (.+)")
SQLITE_FOREIGN_KEY = "FOREIGN KEY constraint failed"


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


def refusal(error: StatementError | ValueError | OverflowError) -> Exception:
    """Return what to raise for an error of a statement: the error itself where it is not the client's.

    Columns and drivers raise a ValueError or OverflowError for what they cannot hold: a last line
    behind the schemas.
    """
    unfit = ValueError | OverflowError
    if isinstance(error, unfit) or isinstance(getattr(error, "orig", None), unfit):
        return ValidationFailed("A value cannot be stored.")
    if not isinstance(error, DBAPIError):
        return error
    state = getattr(error.orig, "sqlstate", None) or ""
    if state == UNIQUE_VIOLATION or SQLITE_UNIQUE.search(str(error.orig)):
        return Conflict(errors=dict.fromkeys(_unique_columns(error), "This value is taken."))
    if state == FOREIGN_KEY_VIOLATION or SQLITE_FOREIGN_KEY in str(error.orig):
        return ValidationFailed("What this refers to is gone.")
    if state == PROGRAM_LIMIT_EXCEEDED:
        return ValidationFailed("A value is too long to be indexed.")
    cause = getattr(error.orig, "__cause__", None)
    if state.startswith(DATA_EXCEPTION_CLASS) or isinstance(cause, unfit):
        return ValidationFailed("A value cannot be stored.")
    return error
