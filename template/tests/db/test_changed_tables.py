"""A migration changes a table while statements on it are prepared."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, text

from app.db.database import Database
from app.db.prepared import built_once
from tests.support.databases import empty_database, needs_server

pytestmark = needs_server

notes = Table(
    "changed_notes",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("text", String(5), nullable=False),
)
ADD = insert(notes).returning(notes)
READ = select(notes)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A database with one connection, and the table."""
    async with empty_database(tmp_path) as url:
        database = Database(url, pool_size=1)
        async with database.transaction() as connection:
            await connection.run_sync(notes.metadata.create_all)
        yield database
        await database.dispose()


async def change(database: Database) -> None:
    """Let strings be longer, which changes the type of the results."""
    await database.execute(text("ALTER TABLE changed_notes ALTER COLUMN text TYPE varchar(9)"))


async def test_statement_runs_on_the_changed_table(database: Database) -> None:
    assert await database.execute(READ) == []
    await change(database)
    assert await database.execute(READ) == []


async def test_prepared_statement_runs_on_the_changed_table(database: Database) -> None:
    read = built_once(lambda: select(notes))
    assert await database.execute(read()) == []
    await change(database)
    assert await database.execute(read()) == []


async def test_transaction_begins_again_on_the_changed_table(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(ADD, {"text": "one"})
    await change(database)
    async with database.transaction() as connection:
        await connection.execute(ADD, {"text": "two"})
    found = await database.execute(text("SELECT text FROM changed_notes ORDER BY id"))
    assert [row["text"] for row in found] == ["one", "two"]
