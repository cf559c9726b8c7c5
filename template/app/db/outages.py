"""Database errors: which are temporary, which close the connection, which statements can be retried."""

import sqlite3

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import Executable, Select, UpdateBase
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.sql.visitors import iterate

# SQLSTATE codes of PostgreSQL, or their prefixes.
READ_ONLY = "25006"
TEMPORARY_STATES = (
    "08",  # Connection failures.
    READ_ONLY,
    "40",  # Deadlocks, serialization failures.
    "53",  # Out of connections, memory or disk space.
    "55P03",  # Lock not available.
    "57",  # Statement cancelled; server shutting down or starting.
)
LOST_STATES = ("08", READ_ONLY, "57P")
# The server closed the session before it ran the statement.
ENDED_STATES = ("57P01", "57P05")
# The message of asyncpg if the server closed the session before a statement.
NOT_IDLE = "cannot switch to state"
# Messages of this class quote the values of the statement.
DATA_EXCEPTION = "22"
NO_MESSAGE = "invalid value (the message is left out because it may quote the value)"

TEMPORARY_SQLITE_CODES = {
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
# A file that was opened read-only stays read-only, even when it is writable again.
LOST_SQLITE_CODES = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
DRIVER_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    sqlite3.Error,
    OSError,
)
# The last byte of an extended code is the primary code.
PRIMARY_CODE = 0xFF


def _state(error: BaseException | None) -> str:
    return getattr(error, "sqlstate", None) or ""


def _sqlite_code(error: BaseException | None) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & PRIMARY_CODE


def is_temporary(error: Exception) -> bool:
    """Return whether the database cannot work now, as opposed to rejecting the statement."""
    cause: BaseException | None = error
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        cause = error.orig
    return (
        _state(cause).startswith(TEMPORARY_STATES) or _sqlite_code(cause) in TEMPORARY_SQLITE_CODES
    )


def is_disconnect(error: BaseException) -> bool:
    """Return whether a connection is no longer usable after an error of the driver."""
    return (
        isinstance(error, OSError | asyncpg.InternalClientError)
        or _state(error).startswith(LOST_STATES)
        or _sqlite_code(error) in LOST_SQLITE_CODES
    )


def did_nothing(error: Exception) -> bool:
    """Return whether a statement certainly had no effect: it did not run, or was rejected."""
    driver: BaseException | None = error
    if isinstance(error, DBAPIError):
        driver = error.driver_exception
    if _state(driver) == READ_ONLY or _sqlite_code(driver) == sqlite3.SQLITE_READONLY:
        return True
    # The driver sent nothing, because it knows that the connection is closed or closing.
    if isinstance(driver, asyncpg.InterfaceError) or str(driver).startswith(NOT_IDLE):
        return True
    return driver is not None and _state(driver.__cause__) in ENDED_STATES


def is_outdated(error: Exception) -> bool:
    """Return whether a statement did not run because a migration has changed its table.

    The driver prepares it again the next time.
    """
    outdated = AsyncAdapt_asyncpg_dbapi.InvalidCachedStatementError
    return isinstance(error, DBAPIError) and isinstance(error.orig, outdated)


def only_reads(statement: Executable) -> bool:
    """Return whether a statement is a SELECT without a data-modifying part."""
    return isinstance(statement, Select) and not any(
        isinstance(part, UpdateBase) for part in iterate(statement)
    )


def _forget_values(error: StatementError) -> None:
    """Remove user data from an error, which may be logged.

    `hide_parameters` hides the parameters of SQLAlchemy; messages of the server and the driver
    quote them, too.
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
    """Invalidate connections that are no longer usable, and keep user data out of the logs."""
    if context.sqlalchemy_exception:
        _forget_values(context.sqlalchemy_exception)
    if is_disconnect(context.original_exception):
        context.is_disconnect = True
