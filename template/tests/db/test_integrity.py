"""What a database refuses, told as an error of the API."""

from typing import Any

import pytest
from sqlalchemy import Column, Index, MetaData, Table, Text, literal, select
from sqlalchemy.exc import DBAPIError, StatementError
from sqlmodel import SQLModel

from app.db.database import Database
from app.db.integrity import refusal
from app.db.scope import Scope
from app.errors import ApiError, ValidationFailed


class ServerError(Exception):
    """An error as the driver of PostgreSQL raises it, in SQLAlchemy's wrapping."""

    def __init__(self, sqlstate: str | None, cause: Exception | None = None) -> None:
        super().__init__("refused")
        self.sqlstate = sqlstate
        self.__cause__ = cause


class ViolationError(Exception):
    """The driver's own error, which names the constraint."""

    def __init__(self, constraint_name: str) -> None:
        super().__init__("refused")
        self.constraint_name = constraint_name


class FileError(Exception):
    """An error as the driver of SQLite raises it: there is only a text."""


def of_statement(original: Exception) -> DBAPIError:
    """Wrap an error as SQLAlchemy does."""
    return DBAPIError("INSERT", {}, original)


def refused(error: DBAPIError | StatementError | ValueError | OverflowError) -> ApiError:
    """Return what the client is told."""
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
def test_values_that_do_not_fit(error: StatementError | ValueError | OverflowError) -> None:
    assert refused(error).status == 422


@pytest.mark.parametrize(
    "error",
    [
        StatementError("cannot be compiled", "INSERT", {}, TypeError("odd")),
        of_statement(ServerError("42601")),
        of_statement(ServerError(None)),
        of_statement(FileError("no such table")),
    ],
)
def test_what_is_not_the_clients(error: StatementError) -> None:
    assert refusal(error) is error


def test_what_is_taken_is_named() -> None:
    error = refused(of_statement(FileError("UNIQUE constraint failed: rows.user_id, rows.name")))
    assert error.status == 409
    assert set(error.errors or {}) == {"name"}


@pytest.mark.parametrize(
    ("index", "names"),
    [("uq_notes_user_id_name", {"name"}), ("uq_notes_day", {"day"}), ("uq_gone", set())],
)
def test_index_is_looked_up_by_its_name(
    index: str, names: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = [Column(name, Text) for name in ("user_id", "name", "day")]
    notes = Table("notes", MetaData(), *columns)
    Index("uq_notes_user_id_name", notes.c.user_id, notes.c.name, unique=True)
    Index("uq_notes_day", notes.c.day, unique=True)
    monkeypatch.setattr(SQLModel, "metadata", notes.metadata)
    error = refused(of_statement(ServerError("23505", ViolationError(index))))
    assert error.status == 409
    assert set(error.errors or {}) == names


async def test_statements_of_the_services_are_covered(database: Database) -> None:
    nobody: Any = None
    with pytest.raises(ValidationFailed):
        await Scope(database, nobody).execute(select(literal(2**70)))
