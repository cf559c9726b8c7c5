"""Connections that migrate: one process at a time, with short waits for locks."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

SQLITE_BUSY_TIMEOUT_MS = 60_000
# An arbitrary key that nothing else locks.
TRY_LOCK = "SELECT pg_try_advisory_xact_lock(4906071512377345024)"
POLL_SECONDS = 0.2
# SQLSTATE codes: a lock was not available in time, a deadlock.
LOCK_STATES = {"55P03", "40P01"}

logger = logging.getLogger("alembic.runtime.migration")


def prepare(engine: AsyncEngine, lock_timeout: str) -> None:
    """Set up the connections of an engine for migrations.

    SQLite: foreign keys are off, because a table is changed by replacing it, and dropping the old
    one would delete the rows that refer to it. Views are not checked while their table is replaced.
    Other processes that migrate the same file are waited for.

    PostgreSQL: a statement waits for a lock for a limited time, because all others wait behind it.
    """
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    else:

        def limit(connection: Connection) -> None:
            # Until the end of the transaction, for which PgBouncer keeps the connection.
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{lock_timeout}'")

        event.listen(engine.sync_engine, "begin", limit)


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA foreign_keys = OFF")
    cursor.execute("PRAGMA legacy_alter_table = ON")
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}")
    cursor.close()


async def migrate(
    engine: AsyncEngine, migrate: Callable[[Connection], None], pauses: Sequence[float]
) -> None:
    """Migrate while no other process does; on PostgreSQL, try again if a lock is not available.

    Each revision is a transaction, so those that were applied stay; on SQLite, all are one.
    """
    if engine.dialect.name == "sqlite":
        async with engine.begin() as connection:
            await connection.run_sync(migrate)
            await connection.run_sync(_check_references)
        return
    async with _alone(engine):
        for pause in (*pauses, None):
            try:
                async with engine.connect() as connection:
                    await connection.run_sync(migrate)
            except DBAPIError as error:
                if pause is None or getattr(error.orig, "sqlstate", None) not in LOCK_STATES:
                    raise
                logger.warning("A lock is not available; trying again in %s s", pause)
                await asyncio.sleep(pause)
            else:
                break


@asynccontextmanager
async def _alone(engine: AsyncEngine) -> AsyncIterator[None]:
    """Hold a lock that every migration takes.

    It lasts as long as a transaction on a connection of its own, because revisions commit.
    """
    async with engine.connect() as guard:
        while True:
            locked = await guard.exec_driver_sql(TRY_LOCK)
            if locked.scalar_one():
                break
            # Behind PgBouncer, a waiting connection would be one that the other process needs.
            await guard.rollback()
            await asyncio.sleep(POLL_SECONDS)
        # Also ends the snapshot of the query, which an index that is built concurrently waits for.
        await guard.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield
        await guard.rollback()


def _check_references(connection: Connection) -> None:
    """Check the foreign keys that were off on SQLite.

    Raises:
        RuntimeError: rows refer to rows that do not exist.
    """
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise RuntimeError(f"Broken references (table, row, parent, key): {broken}")


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine to its end, also if this thread is inside a running event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(main())
        return
    with ThreadPoolExecutor(1) as executor:
        executor.submit(asyncio.run, main()).result()
