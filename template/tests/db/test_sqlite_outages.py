"""Outages of SQLite: a file that is full, read-only or locked, and endless statements."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, insert, text
from sqlalchemy.exc import IntegrityError, InvalidRequestError

from app.db import connections, database
from app.db.database import Database
from app.errors import ServiceUnavailable
from tests.support.outages import (
    COUNT,
    MANY,
    METHODS,
    SINGLE,
    WRITE,
    in_use,
    notes,
    notes_database_at,
    run,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of a new SQLite file."""
    return tmp_path / "a.db"


@pytest.fixture
async def sqlite(file: Path) -> AsyncIterator[Database]:
    """A SQLite database with the empty table and one connection, also on PostgreSQL."""
    async with notes_database_at(f"sqlite:///{file}", pool_size=1) as opened:
        yield opened


def count_notes(file: Path) -> int:
    """Return the number of committed rows, which another connection sees."""
    with closing(sqlite3.connect(file)) as other:
        [count] = other.execute("SELECT count(*) FROM notes").fetchone()
    return int(count)


@pytest.mark.parametrize("method", METHODS)
async def test_file_that_cannot_grow(sqlite: Database, method: str) -> None:
    large = insert(notes).values(text="a" * 100_000)

    await run(sqlite, text("PRAGMA max_page_count = 1"))
    with pytest.raises(ServiceUnavailable):
        await run(sqlite, large, method)
    await sqlite.dispose()
    await run(sqlite, large, method)


@pytest.mark.parametrize("method", METHODS)
async def test_file_that_was_read_only(sqlite: Database, method: str) -> None:
    async def write() -> None:
        async with sqlite.transaction() as connection:
            await connection.execute(text("PRAGMA query_only = ON"))
            await connection.execute(WRITE)

    with pytest.raises(ServiceUnavailable):
        await write()
    # On another connection, without the locks of the first one.
    await run(sqlite, WRITE, method)


@pytest.mark.parametrize("method", METHODS)
async def test_rejected_statement_is_retried_on_a_new_connection(
    sqlite: Database, method: str
) -> None:
    await run(sqlite, text("PRAGMA query_only = ON"), method)
    await run(sqlite, WRITE, method)
    assert await run(sqlite, COUNT) == 1


@pytest.mark.parametrize("method", SINGLE)
async def test_statement_that_may_have_run_is_not_retried(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    await run(sqlite, text("PRAGMA query_only = ON"))
    with pytest.raises(ServiceUnavailable):
        await sqlite.execute(insert(notes), [{"text": "a"}, {"text": "b"}])
    monkeypatch.setattr(database, "did_nothing", lambda _error: False)
    await run(sqlite, text("PRAGMA query_only = ON"))
    with pytest.raises(ServiceUnavailable):
        await run(sqlite, WRITE, method)
    assert await run(sqlite, COUNT) == 0


async def test_transaction_begins_again_if_its_first_statement_fails(sqlite: Database) -> None:
    failed: list[str] = []

    def fail_once(_cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT") and not failed:
            failed.append(statement)
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error

    event.listen(sqlite.engine.sync_engine, "do_execute", fail_once)
    async with sqlite.transaction() as connection:
        await connection.execute(WRITE)
    assert failed
    assert await run(sqlite, COUNT) == 1


async def test_transaction_that_cannot_be_committed_is_rolled_back(
    sqlite: Database, file: Path
) -> None:
    reference = "note_id INTEGER REFERENCES notes (id) DEFERRABLE INITIALLY DEFERRED"
    await run(sqlite, text(f"CREATE TABLE parts ({reference})"))
    with pytest.raises(IntegrityError):
        await run(sqlite, text("INSERT INTO parts VALUES (1)"), "transaction")
    await run(sqlite, WRITE)
    assert count_notes(file) == 1


async def test_connection_that_cannot_roll_back_is_closed(sqlite: Database, file: Path) -> None:
    def refuse(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement == "ROLLBACK":
            raise InvalidRequestError

    async def write_and_fail() -> None:
        async with sqlite.transaction() as connection:
            await connection.execute(WRITE)
            raise LookupError

    event.listen(sqlite.engine.sync_engine, "before_cursor_execute", refuse)
    with pytest.raises(LookupError):
        await write_and_fail()
    await run(sqlite, WRITE)
    assert count_notes(file) == 1


@pytest.mark.parametrize("method", METHODS)
async def test_many_requests_while_a_file_is_locked(
    sqlite: Database, file: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with monkeypatch.context() as patch:
        patch.setattr(database, "ANSWER_TIMEOUT_SECONDS", 0.2)
        patch.setattr(connections, "CLOSE_TIMEOUT_SECONDS", 0.1)
        many = (run(sqlite, WRITE, method) for _ in range(MANY))
        async with asyncio.timeout(2):
            results = await asyncio.gather(*many, return_exceptions=True)
    assert {type(result) for result in results} == {ServiceUnavailable}
    assert in_use(sqlite) == 0
    other.execute("COMMIT")
    other.close()
    await run(sqlite, WRITE, method)
    # Cancelled statements are not executed later.
    assert await run(sqlite, COUNT) == 1


async def test_endless_statement_is_interrupted(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "ANSWER_TIMEOUT_SECONDS", 0.1)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with pytest.raises(ServiceUnavailable):
        await run(sqlite, text(endless))
    assert in_use(sqlite) == 0
