"""Engines and connections, for SQLite and PostgreSQL alike."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlmodel import SQLModel

SQLITE_BUSY_TIMEOUT_MS = 5_000
POOL_RECYCLE_SECONDS = 300

SQLModel.metadata.naming_convention = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
}


def async_url(url: str) -> URL:
    """Turn a plain database URL into one that names the async driver.

    libpq's `sslmode` becomes asyncpg's `ssl`; `channel_binding` has no equivalent there.
    """
    parsed = make_url(url)
    backend = parsed.drivername.partition("+")[0]
    if backend == "sqlite":
        return parsed.set(drivername="sqlite+aiosqlite")
    query = dict(parsed.query)
    query.pop("channel_binding", None)
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    return parsed.set(drivername="postgresql+asyncpg", query=query)


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    # The driver would otherwise open deferred transactions of its own, which fail when two of them write.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def create_engine(url: str, *, autocommit: bool = False) -> AsyncEngine:
    """Create an engine; with `autocommit`, each statement is its own transaction."""
    parsed = async_url(url)
    options = {"isolation_level": "AUTOCOMMIT"} if autocommit else {}
    engine = create_async_engine(parsed, pool_recycle=POOL_RECYCLE_SECONDS, **options)
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        if not autocommit:
            event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


class Database:
    """The two ways to talk to one database: single statements, and transactions.

    They have an engine each: a connection that goes back and forth between AUTOCOMMIT and
    transactions pays for the switch every time.
    """

    def __init__(self, url: str) -> None:
        self._statements = create_engine(url, autocommit=True)
        self._transactions = create_engine(url)

    def connect(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Open a connection on which every statement commits by itself."""
        return self._statements.connect()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction: committed at the end of the block, rolled back on an error."""
        async with self._transactions.begin() as connection:
            yield connection

    async def ping(self) -> None:
        """Ask the database for an answer.

        Raises:
            SQLAlchemyError: it gave none.
            OSError: it could not be reached.
        """
        async with self.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def dispose(self) -> None:
        """Close every connection."""
        await self._statements.dispose()
        await self._transactions.dispose()
