"""Engines and connections, for SQLite and PostgreSQL alike."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

from sqlalchemy import Executable, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.db.connections import CLOSE_TIMEOUT_SECONDS, watch
from app.db.outages import did_nothing, handle_error, only_reads, passes
from app.db.url.parse import read_database_url
from app.errors import ServiceUnavailable

# All that a block of `Database.connect` or `Database.begin` does: a place in the pool, a connection,
# the statements, the commit. With the closing of a connection that does not answer, it stays below 5 s.
ANSWER_TIMEOUT_SECONDS = 4
# Shorter, so that the error says what was waited for.
POOL_TIMEOUT_SECONDS = 3
SQLITE_BUSY_TIMEOUT_MS = 3_500
SQLITE_WAL_ATTEMPTS = 10
POOL_RECYCLE_SECONDS = 300

# What SQLite's own functions do not do: functions of one argument, by their names in SQL.
SQLITE_FUNCTIONS: dict[str, Callable[[Any], Any]] = {}


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    # The driver would otherwise open deferred transactions of its own, which fail when two of them write.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}")
    write_ahead(cursor)
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
    for name, function in SQLITE_FUNCTIONS.items():
        dbapi_connection.create_function(name, 1, function, deterministic=True)


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
        # The few connections that little traffic needs stay in use; the others are tested first.
        pool_use_lifo=True,
        # What users store is nothing for the logs.
        hide_parameters=True,
        **options,
    )
    if read.url.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        if not autocommit:
            event.listen(engine.sync_engine, "begin", _begin_immediate)
    event.listen(engine.sync_engine, "handle_error", handle_error)
    watch(engine.sync_engine)
    return engine


class _Connection(AsyncConnection):
    """A connection that runs its first statement again where the server had ended the session.

    A statement that may have had an effect is never run again: that leaves SELECT, transactions of
    which nothing was committed, and statements that the server certainly did not run.
    """

    __slots__ = ("commits_by_itself", "is_used")

    commits_by_itself: bool
    is_used: bool

    async def execute(
        self, statement: Executable, parameters: Any = None, *, execution_options: Any = None
    ) -> Any:
        """Run a statement; a second time where that is safe."""
        first, self.is_used = not self.is_used, True
        try:
            return await super().execute(statement, parameters, execution_options=execution_options)
        except DBAPIError as error:
            if not first or not error.connection_invalidated:
                raise
            if self.commits_by_itself and not only_reads(statement):
                # Of several rows, the first may be stored.
                several = not isinstance(parameters, Mapping | None)
                if several or not did_nothing(error):
                    raise
        await self.rollback()
        return await super().execute(statement, parameters, execution_options=execution_options)

    async def begin_transaction(self) -> None:
        """Begin a transaction, on a second connection if the first one is of no use."""
        try:
            await self.begin()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            await self.begin()


@asynccontextmanager
async def _connection(engine: AsyncEngine, *, autocommit: bool) -> AsyncIterator[_Connection]:
    connection = _Connection(engine)
    connection.is_used, connection.commits_by_itself = False, autocommit
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS) as answer:
            try:
                await connection.start()
            except (SQLAlchemyError, OSError) as error:
                raise ServiceUnavailable from error
            try:
                yield connection
            except (SQLAlchemyError, OSError) as error:
                if connection.invalidated or passes(error):
                    raise ServiceUnavailable from error
                raise
            finally:
                await connection.close()
    except TimeoutError:
        if not answer.expired():
            raise
        late = TimeoutError(f"no answer of the database within {ANSWER_TIMEOUT_SECONDS} s")
        raise ServiceUnavailable from late


class Database:
    """The two ways to talk to one database: single statements, and transactions.

    They have an engine each: a connection that goes back and forth between AUTOCOMMIT and
    transactions pays for the switch every time. Both raise ServiceUnavailable where the database
    does not answer in time, or has an error that passes.
    """

    def __init__(self, url: str) -> None:
        self._statements = create_engine(url, autocommit=True)
        self._transactions = create_engine(url)

    def connect(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Open a connection on which every statement commits by itself."""
        return _connection(self._statements, autocommit=True)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction: committed at the end of the block, rolled back on an error."""
        async with _connection(self._transactions, autocommit=False) as connection:
            await connection.begin_transaction()
            try:
                yield connection
            except BaseException:
                with suppress(SQLAlchemyError, OSError):
                    async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                        await connection.rollback()
                raise
            await connection.commit()

    async def ping(self) -> None:
        """Ask the database for an answer.

        Raises:
            ServiceUnavailable: it gave none.
        """
        async with self.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def dispose(self) -> None:
        """Close every connection."""
        await self._statements.dispose()
        await self._transactions.dispose()
