"""Connections, on both databases: concurrent writers and transactions."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.exc import OperationalError as DriverOperationalError

from app.db.database import Database
from app.db.engine import SQLITE_WAL_ATTEMPTS, enable_wal
from app.db.integrity import refusal
from app.errors import NotFound, ServiceUnavailable
from tests.support.databases import empty_database, needs_server

WRITERS = 16
ROUNDS = 5

metadata = MetaData()
counters = Table(
    "counters", metadata, Column("id", Integer, primary_key=True), Column("n", Integer)
)
parents = Table("parents", metadata, Column("id", Integer, primary_key=True))
children = Table(
    "children",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("parent_id", ForeignKey("parents.id", name="fk_children_parents")),
)


async def with_tables(url: str) -> Database:
    """Open a database and create the tables of these tests."""
    database = Database(url, pool_timeout=60)
    async with database.transaction() as connection:
        await connection.run_sync(metadata.create_all)
    return database


@pytest.fixture
async def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A database of the kind that the tests run on, without short timeouts."""
    monkeypatch.setattr("app.db.database.ANSWER_TIMEOUT_SECONDS", 60)
    async with empty_database(tmp_path) as url:
        database = await with_tables(url)
        yield database
        await database.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of a new SQLite file."""
    return tmp_path / "a.db"


@pytest.fixture
async def sqlite(file: Path) -> AsyncIterator[Database]:
    """A SQLite database, also when the tests run on PostgreSQL."""
    database = await with_tables(f"sqlite:///{file}")
    yield database
    await database.dispose()


async def scalar(database: Database, statement: str) -> object:
    """Return the single value of a statement."""
    [row] = await database.execute(text(statement))
    [value] = row.values()
    return value


async def test_many_writers_with_single_statements(own: Database) -> None:
    async def write(writer: int) -> None:
        for number in range(ROUNDS):
            await own.execute(insert(counters).values(id=writer * ROUNDS + number, n=0))

    await asyncio.gather(*map(write, range(WRITERS)))
    assert await scalar(own, "SELECT count(*) FROM counters") == WRITERS * ROUNDS


async def test_many_writers_that_read_first(own: Database) -> None:
    await own.execute(insert(counters).values(id=1, n=0))

    async def write(_writer: int) -> None:
        for _ in range(ROUNDS):
            async with own.transaction() as connection:
                found = select(counters.c.n).where(counters.c.id == 1).with_for_update()
                n = (await connection.execute(found)).scalar_one()
                await asyncio.sleep(0)
                await connection.execute(counters.update().values(n=n + 1))

    await asyncio.gather(*map(write, range(WRITERS)))
    assert await scalar(own, "SELECT n FROM counters") == WRITERS * ROUNDS


async def test_many_processes_writing_to_one_file(sqlite: Database, file: Path) -> None:
    await sqlite.dispose()
    processes = [Database(f"sqlite:///{file}") for _ in range(WRITERS)]

    async def write(process: Database) -> None:
        await process.execute(insert(parents).values())
        async with process.transaction() as connection:
            await connection.execute(insert(parents).values())
        await process.dispose()

    await asyncio.gather(*map(write, processes))
    assert await scalar(sqlite, "SELECT count(*) FROM parents") == 2 * WRITERS


@pytest.mark.parametrize(
    ("pragma", "expected"),
    [("journal_mode", "wal"), ("foreign_keys", 1), ("busy_timeout", 3500), ("synchronous", 1)],
)
async def test_sqlite_is_set_up(sqlite: Database, pragma: str, expected: object) -> None:
    assert await scalar(sqlite, f"PRAGMA {pragma}") == expected
    async with sqlite.transaction() as connection:
        assert (await connection.execute(text(f"PRAGMA {pragma}"))).scalar_one() == expected


class LockedCursor:
    """A cursor that fails a number of times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def execute(self, _statement: str) -> None:
        """Fail, or do nothing."""
        self.failures -= 1
        if self.failures >= 0:
            raise sqlite3.OperationalError("database is locked")


async def test_closing_leaves_everything_in_the_file(sqlite: Database, file: Path) -> None:
    assert await scalar(sqlite, "SELECT 1") == 1
    await sqlite.dispose()
    assert [path.name for path in file.parent.glob(f"{file.name}*")] == [file.name]


def test_enable_wal_retries() -> None:
    enable_wal(LockedCursor(3))
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        enable_wal(LockedCursor(SQLITE_WAL_ATTEMPTS))


async def test_transaction_locks_the_file_from_its_beginning(sqlite: Database, file: Path) -> None:
    other = sqlite3.connect(file, timeout=0, isolation_level=None)
    async with sqlite.transaction():
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.close()


async def test_foreign_keys_are_enforced(own: Database) -> None:
    with pytest.raises(IntegrityError) as caught:
        await own.execute(insert(children).values(id=1, parent_id=1))
    error = refusal(caught.value)
    assert getattr(error, "status", None) == 422


async def test_invalid_statement_is_not_a_client_error(
    own: Database,
) -> None:
    with pytest.raises((ProgrammingError, DriverOperationalError)) as caught:
        await scalar(own, "SELECT * FROM nothing")
    assert refusal(caught.value) is caught.value


async def test_single_statements_commit(own: Database) -> None:
    await own.execute(insert(parents).values(id=1))
    async with own.transaction() as connection:
        count = select(func.count()).select_from(parents)
        assert (await connection.execute(count)).scalar_one() == 1


async def test_failed_transaction_is_rolled_back(own: Database) -> None:
    async def write_and_fail(error: Exception) -> None:
        async with own.transaction() as connection:
            await connection.execute(insert(parents).values(id=1))
            raise error

    async def write_twice() -> None:
        async with own.transaction() as connection:
            await connection.execute(insert(parents).values(id=2))
            await connection.execute(insert(parents).values(id=2))

    with pytest.raises(NotFound):
        await write_and_fail(NotFound())
    with pytest.raises(IntegrityError):
        await write_twice()
    assert await scalar(own, "SELECT count(*) FROM parents") == 0


async def test_cancelled_transaction_is_rolled_back(own: Database) -> None:
    async def write() -> None:
        async with own.transaction() as connection:
            await connection.execute(insert(parents).values(id=1))
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(write(), 0.2)
    async with own.transaction() as connection:
        await connection.execute(insert(parents).values(id=2))
        count = select(func.count()).select_from(parents)
        assert (await connection.execute(count)).scalar_one() == 1


async def test_errors_do_not_contain_values(own: Database) -> None:
    with pytest.raises(IntegrityError) as caught:
        await own.execute(insert(children).values(id=1, parent_id=987654))
    assert "987654" not in str(caught.value)


async def test_file_that_stays_locked(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.db.engine.SQLITE_BUSY_TIMEOUT_MS", 10)
    database = await with_tables(f"sqlite:///{file}")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ServiceUnavailable):
        await database.execute(insert(parents).values(id=1))
    with pytest.raises(ServiceUnavailable):
        await database.transaction().__aenter__()
    other.close()
    await database.ping()
    await database.dispose()


async def test_all_connections_are_taken(file: Path) -> None:
    database = Database(f"sqlite:///{file}", pool_size=1, pool_timeout=0.1)
    async with database.transaction():
        many = (database.ping() for _ in range(WRITERS))
        results = await asyncio.gather(*many, return_exceptions=True)
        assert {type(result) for result in results} == {ServiceUnavailable}
        with pytest.raises(ServiceUnavailable):
            await database.transaction().__aenter__()
    await database.ping()
    await database.dispose()


@needs_server
async def test_lost_connection(own: Database) -> None:
    async with own.transaction() as connection:
        process = await scalar(own, "SELECT pg_backend_pid()")
        await connection.execute(text(f"SELECT pg_terminate_backend({process})"))
    await own.ping()
