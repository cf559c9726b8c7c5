"""Errors of the database as errors of the API."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest
from sqlalchemy import Column, Index, MetaData, Table, Text, literal, select
from sqlalchemy.exc import DBAPIError, StatementError
from sqlmodel import SQLModel

from app.db.database import Database
from app.db.integrity import refusal
from app.db.scope import Scope
from app.errors import ApiError, ValidationFailed


class ServerError(Exception):
    """An error of the PostgreSQL driver, as SQLAlchemy wraps it."""

    def __init__(self, sqlstate: str | None, cause: Exception | None = None) -> None:
        super().__init__("rejected")
        self.sqlstate = sqlstate
        self.__cause__ = cause


class ViolationError(Exception):
    """The error of the driver, with the name of the constraint."""

    def __init__(self, constraint_name: str) -> None:
        super().__init__("rejected")
        self.constraint_name = constraint_name


class NullError(Exception):
    """The error of the driver, with the name of the column that has no value."""

    def __init__(self, column_name: str) -> None:
        super().__init__("rejected")
        self.column_name = column_name


class FileError(Exception):
    """An error of the SQLite driver, which only has a message."""


def of_statement(original: Exception) -> DBAPIError:
    """Wrap an error as SQLAlchemy does."""
    return DBAPIError("INSERT", {}, original)


def rejected(error: DBAPIError | StatementError | ValueError | OverflowError) -> ApiError:
    """Return the error for the client."""
    answer = refusal(error)
    assert isinstance(answer, ApiError)
    return answer


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no UTF-8"),
        OverflowError("too large"),
        StatementError("cannot be bound", "INSERT", {}, OverflowError("too late")),
        of_statement(ServerError(None, ValueError("no UTF-8"))),
        of_statement(ServerError("22003")),
        of_statement(ServerError("22021")),
        of_statement(ServerError("54000")),
        of_statement(ServerError("23503")),
        of_statement(FileError("FOREIGN KEY constraint failed")),
    ],
)
def test_values_that_cannot_be_stored(error: StatementError | ValueError | OverflowError) -> None:
    assert rejected(error).status == 422


@pytest.mark.parametrize(
    "error",
    [
        StatementError("cannot be compiled", "INSERT", {}, TypeError("odd")),
        of_statement(ServerError("42601")),
        of_statement(ServerError(None)),
        of_statement(FileError("no such table")),
    ],
)
def test_errors_that_the_client_did_not_cause(error: StatementError) -> None:
    assert refusal(error) is error


@pytest.mark.parametrize(
    "error",
    [
        of_statement(ServerError("23502", NullError("user_id"))),
        of_statement(FileError("NOT NULL constraint failed: notes.user_id")),
    ],
)
def test_row_without_an_owner_is_not_stored(error: StatementError) -> None:
    assert rejected(error).status == 401


@pytest.mark.parametrize(
    "error",
    [
        of_statement(ServerError("23502", NullError("name"))),
        of_statement(FileError("NOT NULL constraint failed: notes.name")),
    ],
)
def test_missing_value_of_another_column_is_not_a_client_error(error: StatementError) -> None:
    assert refusal(error) is error


def test_conflict_names_the_field() -> None:
    error = rejected(of_statement(FileError("UNIQUE constraint failed: rows.user_id, rows.name")))
    assert error.status == 409
    assert set(error.errors or {}) == {"name"}


@pytest.mark.parametrize(
    ("index", "names"),
    [("uq_notes_user_id_name", {"name"}), ("uq_notes_day", {"day"}), ("uq_gone", set())],
)
def test_conflict_names_the_fields_of_the_index(
    index: str, names: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = [Column(name, Text) for name in ("user_id", "name", "day")]
    notes = Table("notes", MetaData(), *columns)
    Index("uq_notes_user_id_name", notes.c.user_id, notes.c.name, unique=True)
    Index("uq_notes_day", notes.c.day, unique=True)
    monkeypatch.setattr(SQLModel, "metadata", notes.metadata)
    error = rejected(of_statement(ServerError("23505", ViolationError(index))))
    assert error.status == 409
    assert set(error.errors or {}) == names


async def test_scope_converts_errors(database: Database) -> None:
    caller: Any = SimpleNamespace(parameters={}, check=AsyncMock())
    with pytest.raises(ValidationFailed):
        await Scope(database, caller).execute(select(literal(2**70)))


async def test_transactions_of_a_scope_are_one(database: Database) -> None:
    caller: Any = SimpleNamespace(parameters={}, check=AsyncMock())
    async with Scope(database, caller).transaction() as outer, outer.transaction() as inner:
        assert inner is outer
        assert inner.connection is not None
    caller.check.assert_awaited_once()
