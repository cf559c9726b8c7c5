"""A table for tests of outages, and helpers that run statements on it."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio import to_thread
from sqlalchemy import (
    Column,
    Executable,
    Integer,
    MetaData,
    String,
    Table,
    TextClause,
    func,
    insert,
    select,
)

from app.db.database import Database, rows_of
from app.db.engine import POOL_SIZE
from app.db.prepared import built_once

notes = Table(
    "notes",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("text", String, nullable=False),
)
WRITE = insert(notes).values(text="a")
COUNT = select(func.count()).select_from(notes)
# The ways in which a database executes a statement by itself, and all ways.
SINGLE = ("execute", "prepared")
METHODS = (*SINGLE, "transaction")
# More requests than a pool has connections.
MANY = 20


async def open_notes(url: str, pool_size: int = POOL_SIZE) -> Database:
    """Open a database, and create the empty table."""
    opened = Database(url, pool_size=pool_size)
    async with opened.transaction() as connection:
        await connection.run_sync(notes.metadata.drop_all)
        await connection.run_sync(notes.metadata.create_all)
    return opened


@asynccontextmanager
async def notes_database_at(url: str, pool_size: int = POOL_SIZE) -> AsyncIterator[Database]:
    """Yield a database with the empty table; at the end, no thread runs a cancelled statement."""
    others = set(threading.enumerate())
    opened = await open_notes(url, pool_size)
    yield opened
    await opened.dispose()
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name and thread not in others:
            await to_thread.run_sync(thread.join, 10)
            assert not thread.is_alive()


@built_once
def prepared(statement: Executable) -> Executable:
    """Return a copy of a statement that the database prepares."""
    return statement.execution_options(is_copy=True)


async def run(opened: Database, statement: Executable, method: str = "execute") -> Any:
    """Execute a statement by itself or in a transaction; return its first value, if any."""
    if method == "prepared" and not isinstance(statement, TextClause):
        statement = prepared(statement)
    if method in SINGLE:
        rows = await opened.execute(statement)
    else:
        async with opened.transaction() as connection:
            rows = rows_of(await connection.execute(statement))
    return next(iter(rows[0].values())) if rows else None


def in_use(opened: Database) -> int:
    """Return the number of connections that were not returned to the pool."""
    checked_out: int = opened.engine.sync_engine.pool.checkedout()  # type: ignore[attr-defined]
    return checked_out
