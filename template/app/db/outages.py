"""Errors of the database: which of them pass, which cost the connection, and what may be run again."""

import sqlite3

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import Executable, Select, UpdateBase
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.sql.visitors import iterate

# SQLSTATEs of PostgreSQL, or their first characters.
READ_ONLY = "25006"
PASSING_STATES = (
    "08",  # The connection is lost.
    READ_ONLY,
    "40",  # Deadlocks, serialization failures.
    "53",  # Out of connections, memory or disk space.
    "55P03",  # A lock is not available.
    "57",  # A statement is cancelled, the server is shutting down or starting.
)
LOST_STATES = ("08", READ_ONLY, "57P")
# The server ended the session before it did what was asked.
ENDED_STATES = ("57P01", "57P05")
# What asyncpg says where the server's farewell came in before a statement.
NOT_IDLE = "cannot switch to state"
# What a statement was given is quoted in the messages of this class.
DATA_EXCEPTION = "22"
NO_MESSAGE = "a value cannot be taken (the message is left out: it may quote the value)"

PASSING_SQLITE_CODES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}
# A file that was opened for reading stays so, even when it can be written again.
LOST_SQLITE_CODES = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
# Extended codes keep the primary one in their last byte.
PRIMARY_CODE = 0xFF


def _state(error: BaseException | None) -> str:
    return getattr(error, "sqlstate", None) or ""


def _sqlite_code(error: BaseException | None) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & PRIMARY_CODE


def passes(error: Exception) -> bool:
    """Tell a database that cannot work now from a statement that it refuses."""
    if not isinstance(error, DBAPIError):
        return False
    state, code = _state(error.orig), _sqlite_code(error.orig)
    return (
        error.connection_invalidated
        or state.startswith(PASSING_STATES)
        or code in PASSING_SQLITE_CODES
    )


def did_nothing(error: DBAPIError) -> bool:
    """Tell whether a statement certainly had no effect, because it never ran or was refused."""
    if _state(error.orig) == READ_ONLY or _sqlite_code(error.orig) == sqlite3.SQLITE_READONLY:
        return True
    driver = error.driver_exception
    # The driver sent nothing: it knows that the connection is closed, or that it is about to be.
    if isinstance(driver, asyncpg.InterfaceError) or str(driver).startswith(NOT_IDLE):
        return True
    return _state(driver.__cause__) in ENDED_STATES


def only_reads(statement: Executable) -> bool:
    """Tell whether a statement is a SELECT that changes no row on the way."""
    return isinstance(statement, Select) and not any(
        isinstance(part, UpdateBase) for part in iterate(statement)
    )


def _forget_values(error: StatementError) -> None:
    """Take out of an error what users stored: it may end up in a log.

    `hide_parameters` hides what SQLAlchemy sent; the messages of the server and its driver quote it.
    """
    chain = [error, error.orig, error.orig.__cause__ if error.orig else None]
    for cause in chain:
        # Such as `Key (email)=(ada@example.com) already exists`.
        if getattr(cause, "detail", None):
            cause.detail = None  # type: ignore[union-attr]
    if _state(error.orig).startswith(DATA_EXCEPTION) or isinstance(chain[-1], ValueError):
        for cause in filter(None, chain):
            cause.args = (NO_MESSAGE,)


def handle_error(context: ExceptionContext) -> None:
    """Give up connections that are of no more use, and keep values out of the logs."""
    if context.sqlalchemy_exception:
        _forget_values(context.sqlalchemy_exception)
    error = context.original_exception
    if (
        isinstance(error, OSError)
        or _state(error).startswith(LOST_STATES)
        or _sqlite_code(error) in LOST_SQLITE_CODES
    ):
        context.is_disconnect = True
