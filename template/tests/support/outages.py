"""A table for tests of outages, and helpers that run statements on it."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio import to_thread
from sqlalchemy import Column, Executable, Integer, MetaData, String, Table, func, insert, select

from app.db.database import Database

notes = Table(
    "notes",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("text", String, nullable=False),
)
WRITE = insert(notes).values(text="a")
COUNT = select(func.count()).select_from(notes)
# The methods of a database that give a connection.
METHODS = ("autocommit", "transaction")
# More requests than a pool has connections.
MANY = 20


async def open_notes(url: str) -> Database:
    """Open a database, and create the empty table."""
    opened = Database(url)
    async with opened.transaction() as connection:
        await connection.run_sync(notes.metadata.drop_all)
        await connection.run_sync(notes.metadata.create_all)
    return opened


@asynccontextmanager
async def notes_database_at(url: str) -> AsyncIterator[Database]:
    """Yield a database with the empty table; at the end, no thread runs a cancelled statement."""
    others = set(threading.enumerate())
    opened = await open_notes(url)
    yield opened
    await opened.dispose()
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name and thread not in others:
            await to_thread.run_sync(thread.join, 10)
            assert not thread.is_alive()


async def run(opened: Database, statement: Executable, method: str = "autocommit") -> Any:
    """Execute a statement with autocommit or in a transaction; return its first value, if any."""
    async with getattr(opened, method)() as connection:
        result = await connection.execute(statement)
        return result.scalar() if result.returns_rows else None


def in_use(opened: Database) -> int:
    """Return the number of connections that were not returned to the pool."""
    engines = (opened._statements, opened._transactions)  # noqa: SLF001
    return sum(engine.sync_engine.pool.checkedout() for engine in engines)  # type: ignore[attr-defined]
