"""Prepared statements: which are prepared, the values they take, and the errors they raise."""

import sqlite3
from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import (
    JSON,
    Column,
    Dialect,
    Executable,
    Float,
    Integer,
    MetaData,
    Numeric,
    Select,
    String,
    Table,
    TypeDecorator,
    Uuid,
    bindparam,
    delete,
    event,
    func,
    insert,
    select,
    type_coerce,
    update,
)
from sqlalchemy.exc import IntegrityError, StatementError

from app.db.database import Database, ResultRow, rows_of
from app.db.prepared import Prepared, built_once, prepare
from app.errors import ServiceUnavailable
from tests.support.databases import empty_database

numbers = count()


def length(context: Any) -> int:
    """Return a default that depends on the other values."""
    return len(context.get_current_parameters()["text"])


class Backwards(TypeDecorator[str]):
    """A string that is stored backwards."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        """Return the stored string."""
        return value and value[::-1]

    def process_result_value(self, value: str | None, _dialect: Dialect) -> str | None:
        """Return the string that was stored."""
        return value and value[::-1]


notes = Table(
    "prepared_notes",
    MetaData(),
    Column("id", Uuid, primary_key=True, default=uuid4),
    Column("text", String, nullable=False, unique=True),
    Column("number", Integer, default=lambda: next(numbers)),
    Column("kind", String, default="plain", onupdate="changed"),
    Column("price", Numeric(10, 2)),
    Column("weight", Float),
    Column("code", Backwards),
    Column("data", JSON(none_as_null=True)),
)
measured = Table(
    "prepared_lengths",
    notes.metadata,
    Column("text", String, primary_key=True),
    Column("length", Integer, default=length),
)
generated = Table(
    "prepared_defaults",
    notes.metadata,
    Column("text", String, primary_key=True, server_default="a"),
    Column("number", Integer),
)


@built_once
def _insert() -> Executable:
    return insert(notes).returning(notes)


@built_once
def _insert_only() -> Executable:
    return insert(notes)


@built_once
def _insert_generated() -> Executable:
    return insert(generated)


@built_once
def _update() -> Executable:
    return update(notes).where(notes.c.text == bindparam("_text")).returning(notes)


@built_once
def _delete() -> Executable:
    return delete(notes)


@built_once
def _select(*names: str) -> Select[Any]:
    return select(*(notes.c[name] for name in names)).order_by(notes.c.text)


@built_once
def _select_texts() -> Executable:
    return select(notes.c.text).where(notes.c.text.in_(bindparam("_texts", expanding=True)))


@built_once
def _insert_measured() -> Executable:
    return insert(measured).returning(measured)


@built_once
def _count() -> Executable:
    found = select(func.count().label("found")).select_from(notes)
    return found.where(notes.c.kind == "plain")


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Database]:
    """A database of the kind that the tests run on, with the empty tables."""
    async with empty_database(tmp_path) as url:
        database = Database(url)
        async with database.transaction() as connection:
            await connection.run_sync(notes.metadata.create_all)
        yield database
        await database.dispose()


def is_prepared(database: Database, statement: Executable, *names: str) -> bool:
    """Return whether a database prepares a statement."""
    return prepare(statement, database.engine.dialect, dict.fromkeys(names)) is not None


async def by_sqlalchemy(database: Database, statement: Executable) -> list[ResultRow]:
    """Return the rows of a statement that SQLAlchemy executes."""
    async with database.transaction() as connection:
        return rows_of(await connection.execute(statement))


def test_statements_are_built_once_for_the_same_arguments() -> None:
    assert _select("id") is _select("id")
    assert _select("id") is not _select("text")


async def test_only_statements_that_are_built_once_are_prepared(opened: Database) -> None:
    assert is_prepared(opened, _select("id"))
    assert not is_prepared(opened, select(notes.c.id))
    # A statement that is made of another one is not built once.
    assert not is_prepared(opened, _select("id").limit(1))


async def test_values_are_those_of_sqlalchemy(opened: Database) -> None:
    given: dict[str, Any] = {
        "text": "a",
        "price": Decimal("12345678.90"),
        "weight": 0.1,
        "code": "ABC",
        "data": {"é": [1, None]},
    }
    assert is_prepared(opened, _insert(), *given)
    [inserted] = await opened.execute(_insert(), given)
    assert isinstance(inserted["price"], Decimal)
    assert inserted["code"] == given["code"]
    stored = select(type_coerce(notes.c.code, String).label("stored"))
    assert await by_sqlalchemy(opened, stored) == [{"stored": "CBA"}]
    assert inserted["data"] == given["data"]
    names = tuple(notes.c.keys())
    assert await opened.execute(_select(*names)) == [inserted]
    assert await by_sqlalchemy(opened, select(notes)) == [inserted]


async def test_nulls(opened: Database) -> None:
    given = dict.fromkeys(("number", "kind", "price", "weight", "code", "data"))
    [inserted] = await opened.execute(_insert(), {"text": "a", **given})
    assert inserted.items() >= given.items()
    # A null of SQL, not of JSON.
    found = select(notes.c.text).where(notes.c.data.is_(None))
    assert await by_sqlalchemy(opened, found) == [{"text": "a"}]


async def test_columns_without_a_value_get_their_defaults(opened: Database) -> None:
    # With an id: SQLAlchemy would execute a statement again that violates a constraint.
    given = [{"id": uuid4(), "text": text} for text in "ab"]
    rows = [row for values in given for row in await opened.execute(_insert(), values)]
    assert rows[1]["number"] == rows[0]["number"] + 1
    assert [row["kind"] for row in rows] == ["plain", "plain"]
    [updated] = await opened.execute(_update(), {"_text": "a", "number": 7})
    assert (updated["number"], updated["kind"]) == (7, "changed")
    [updated] = await opened.execute(_update(), {"_text": "a", "kind": "kept"})
    assert (updated["number"], updated["kind"]) == (7, "kept")


async def test_values_within_a_statement(opened: Database) -> None:
    await opened.execute(_insert(), {"text": "a"})
    await opened.execute(_insert(), {"text": "b", "kind": "other"})
    assert is_prepared(opened, _count())
    assert await opened.execute(_count()) == [{"found": 1}]


async def test_statements_that_return_no_rows(opened: Database) -> None:
    assert await opened.execute(_insert_only(), {"text": "a"}) == []
    assert len(await opened.execute(_select("id"))) == 1
    assert await opened.execute(_delete()) == []
    assert await opened.execute(_select("id")) == []
    # SQLAlchemy adds RETURNING for a primary key that the database generates.
    assert await opened.execute(_insert_generated(), {"number": 1}) == []


async def test_statements_that_differ_in_each_execution(opened: Database) -> None:
    await opened.execute(_insert(), {"text": "a"})
    assert not is_prepared(opened, _select_texts(), "_texts")
    assert await opened.execute(_select_texts(), {"_texts": ["a", "b"]}) == [{"text": "a"}]
    assert not is_prepared(opened, _insert_measured(), "text")
    rows = await opened.execute(_insert_measured(), {"text": "abc"})
    assert rows == [{"text": "abc", "length": 3}]


async def test_errors_are_those_of_sqlalchemy(opened: Database) -> None:
    await opened.execute(_insert(), {"text": "a"})
    with pytest.raises(IntegrityError):
        await opened.execute(_insert(), {"text": "a"})
    with pytest.raises(StatementError):
        await opened.execute(_update(), {"number": 1})
    with pytest.raises(StatementError):
        await opened.execute(_insert(), {"text": "b", "data": object()})
    assert len(await opened.execute(_select("text"))) == 1


@pytest.mark.parametrize(("code", "lost"), [(sqlite3.SQLITE_BUSY, 0), (sqlite3.SQLITE_IOERR, 1)])
async def test_temporary_error_does_not_repeat_a_write(
    opened: Database, monkeypatch: pytest.MonkeyPatch, code: int, lost: int
) -> None:
    invalidated: list[object] = []

    def fail(*_: object) -> None:
        error = sqlite3.OperationalError("refused")
        error.sqlite_errorcode = code
        raise error

    def note(*arguments: object) -> None:
        invalidated.append(arguments)

    monkeypatch.setattr(Prepared, "execute", fail)
    event.listen(opened.engine.sync_engine, "invalidate", note)
    with pytest.raises(ServiceUnavailable):
        await opened.execute(_insert(), {"text": "a"})
    assert len(invalidated) == lost
    assert await by_sqlalchemy(opened, select(notes)) == []
