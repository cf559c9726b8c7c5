"""Driver connections: closed within a time limit, and tested when they may have been dropped."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from itertools import repeat
from typing import Any

import aiosqlite
import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import event
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

# A connection that was idle for longer is pinged before it is used: firewalls drop idle connections
# silently.
IDLE_SECONDS = 1
PING_TIMEOUT_SECONDS = 1
# Closing a connection cancels its running statement, which the server needs a moment to confirm.
CLOSE_TIMEOUT_SECONDS = 0.5

ROWS_PER_FETCH = 64
LAST_USE = "last_use"

# What observes the execution of a statement, such as for a trace.
Observer = Callable[[str], AbstractContextManager[object]]


class ServerConnection(asyncpg.Connection):  # type: ignore[misc]
    """A connection to PostgreSQL."""

    observe: Observer = nullcontext

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        """Close the connection, without waiting long for a server that does not answer."""
        # The driver has closed it even if the timeout has expired.
        with suppress(TimeoutError):
            await super().close(timeout=CLOSE_TIMEOUT_SECONDS)

    async def column_types(self, sql: str) -> Iterable[int | None]:
        """Return the OIDs of the types that a statement returns."""
        return [column.type.oid for column in (await self.prepare(sql)).get_attributes()]

    async def fetch_rows(self, sql: str, arguments: Sequence[Any]) -> Iterable[Sequence[Any]]:
        """Execute a statement, which the driver prepares once for each connection."""
        with self.observe(sql):
            rows: list[Sequence[Any]] = await self.fetch(sql, *arguments)
        return rows


class FileConnection(aiosqlite.Connection):
    """A connection to a SQLite file."""

    observe: Observer = nullcontext

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, ROWS_PER_FETCH)
        # The process can exit while a statement runs.
        self._thread.daemon = True

    async def column_types(self, _sql: str) -> Iterable[int | None]:
        """Return no types: in SQLite, each value has its own."""
        return repeat(None)

    async def fetch_rows(self, sql: str, arguments: Sequence[Any]) -> Iterable[Sequence[Any]]:
        """Execute a statement, in one step of the thread of the connection."""
        with self.observe(sql):
            return await self.execute_fetchall(sql, arguments)

    async def close(self) -> None:
        """Close the connection, without waiting long for a running statement."""
        if self._connection is None:
            return
        self._connection.interrupt()
        with suppress(TimeoutError, sqlite3.Error):
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                try:
                    # A cursor that is still referenced would otherwise keep the lock.
                    await self.rollback()
                    # SQLite forgets the interruption at the next statement. Until then, closing the
                    # connection would not write the log into the file.
                    await self.execute_fetchall("SELECT 1")
                finally:
                    stopped = self.stop()
                if stopped:
                    await stopped


async def _open_file(database: str, **options: Any) -> FileConnection:
    connection = FileConnection(partial(sqlite3.connect, database, **options))
    await connection
    return connection


def _choose_class(
    dialect: Dialect, _record: ConnectionPoolEntry, _arguments: list[Any], options: dict[str, Any]
) -> None:
    if dialect.name == "sqlite":
        options["async_creator_fn"] = _open_file
    else:
        options["connection_class"] = ServerConnection


async def _answers(connection: asyncpg.Connection) -> bool:
    try:
        await connection.execute("SELECT 1", timeout=PING_TIMEOUT_SECONDS)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        connection.terminate()
        return False
    return True


def refuse_dropped(
    dbapi_connection: Any, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
) -> None:
    """Have the pool replace a dropped connection; connections in constant use are not pinged.

    Raises:
        DisconnectionError: the connection is closed.
        InvalidatePoolError: the connection does not answer.
    """
    if dbapi_connection.driver_connection.is_closed():
        raise DisconnectionError
    now = time.monotonic()
    idle = now - record.info.get(LAST_USE, now) > IDLE_SECONDS
    if idle and not dbapi_connection.run_async(_answers):
        # Connections that were opened before it have probably been dropped too.
        raise InvalidatePoolError
    record.info[LAST_USE] = now


def watch(engine: Engine) -> None:
    """Use this module's connections in an engine, and test them when the pool gives them out."""
    event.listen(engine, "do_connect", _choose_class)
    if engine.dialect.name == "postgresql":
        event.listen(engine, "checkout", refuse_dropped)
