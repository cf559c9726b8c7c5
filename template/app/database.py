"""Engines and connections, for SQLite and PostgreSQL alike."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.database_url import read_database_url
from app.errors import ServiceUnavailable

SQLITE_BUSY_TIMEOUT_MS = 5_000
SQLITE_WAL_ATTEMPTS = 10
POOL_RECYCLE_SECONDS = 300
POOL_TIMEOUT_SECONDS = 10
PING_TIMEOUT_SECONDS = 3

# SQLSTATEs of PostgreSQL: connection lost, out of resources, shutting down or starting.
UNAVAILABLE_STATES = ("08", "53", "57P")
SQLITE_LOCKED = "database is locked"


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    # The driver would otherwise open deferred transactions of its own, which fail when two of them write.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}")
    write_ahead(cursor)
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def write_ahead(cursor: Any) -> None:
    """Let readers go on while one writes.

    Where several processes open a new file at once, SQLite may refuse all but one without a wait.
    """
    statement = "PRAGMA journal_mode = WAL"
    for _ in range(SQLITE_WAL_ATTEMPTS - 1):
        with suppress(sqlite3.OperationalError):
            cursor.execute(statement)
            return
    cursor.execute(statement)


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def create_engine(url: str, *, autocommit: bool = False) -> AsyncEngine:
    """Create an engine; with `autocommit`, each statement is its own transaction."""
    read = read_database_url(url)
    options = {"isolation_level": "AUTOCOMMIT"} if autocommit else {}
    engine = create_async_engine(
        read.url,
        connect_args=read.connect_args,
        pool_recycle=POOL_RECYCLE_SECONDS,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        # What users store is nothing for the logs.
        hide_parameters=True,
        **options,
    )
    if read.url.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        if not autocommit:
            event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


def _is_unavailable(error: DBAPIError) -> bool:
    """Tell a database that cannot work now from a statement that it refuses."""
    state = getattr(error.orig, "sqlstate", None) or ""
    locked = SQLITE_LOCKED in str(error.orig)
    return error.connection_invalidated or locked or state.startswith(UNAVAILABLE_STATES)


@asynccontextmanager
async def _connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(engine.connect())
        except (SQLAlchemyError, OSError) as error:
            raise ServiceUnavailable from error
        try:
            yield connection
        except DBAPIError as error:
            if _is_unavailable(error):
                raise ServiceUnavailable from error
            raise


class Database:
    """The two ways to talk to one database: single statements, and transactions.

    They have an engine each: a connection that goes back and forth between AUTOCOMMIT and
    transactions pays for the switch every time. Both raise ServiceUnavailable where the database
    does not answer.
    """

    def __init__(self, url: str) -> None:
        self._statements = create_engine(url, autocommit=True)
        self._transactions = create_engine(url)

    def connect(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Open a connection on which every statement commits by itself."""
        return _connection(self._statements)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction: committed at the end of the block, rolled back on an error."""
        async with _connection(self._transactions) as connection, connection.begin():
            yield connection

    async def ping(self) -> None:
        """Ask the database for an answer.

        Raises:
            ServiceUnavailable: it gave none.
        """
        try:
            async with asyncio.timeout(PING_TIMEOUT_SECONDS), self.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except TimeoutError as error:
            raise ServiceUnavailable from error

    async def dispose(self) -> None:
        """Close every connection."""
        await self._statements.dispose()
        await self._transactions.dispose()
