"""Temporary errors of drivers, and the check of connections before they are used."""

import sqlite3
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, InvalidatePoolError

from app.db import connections, engine
from app.db.connections import refuse_dropped
from app.db.outages import did_nothing, is_temporary, only_reads
from tests.support.outages import WRITE, notes


class ServerError(Exception):
    """An error of the PostgreSQL driver, with a SQLSTATE."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__("refused")
        self.sqlstate = sqlstate


def file_error(code: int) -> sqlite3.OperationalError:
    """Return an error of the SQLite driver, with a code."""
    error = sqlite3.OperationalError("refused")
    error.sqlite_errorcode = code
    return error


def of_statement(original: Exception) -> DBAPIError:
    """Wrap an error as SQLAlchemy does."""
    return DBAPIError("INSERT", {}, original)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        *((ServerError(state), True) for state in ("08006", "25006", "40001", "40P01", "53100")),
        *((ServerError(state), True) for state in ("53300", "55P03", "57014", "57P01", "57P03")),
        *((ServerError(state), False) for state in ("25001", "42601", "54000", "55000", "XX000")),
        (file_error(sqlite3.SQLITE_BUSY_SNAPSHOT), True),
        (file_error(sqlite3.SQLITE_FULL), True),
        (file_error(sqlite3.SQLITE_IOERR_WRITE), True),
        (file_error(sqlite3.SQLITE_CANTOPEN), True),
        (file_error(sqlite3.SQLITE_READONLY_DBMOVED), True),
        (file_error(sqlite3.SQLITE_CORRUPT), False),
        (file_error(sqlite3.SQLITE_ERROR), False),
    ],
)
def test_is_temporary(error: Exception, expected: bool) -> None:
    assert is_temporary(of_statement(error)) is expected
    assert is_temporary(error) is expected


def test_only_reads() -> None:
    assert only_reads(select(notes.c.id).where(notes.c.id.in_(select(notes.c.id))))
    assert not only_reads(WRITE)
    written = insert(notes).values(text="a").returning(notes.c.id).cte()
    assert not only_reads(select(written.c.id))
    assert not only_reads(text("SELECT 1"))


def test_read_only_errors_did_nothing() -> None:
    assert did_nothing(of_statement(ServerError("25006")))
    assert did_nothing(of_statement(file_error(sqlite3.SQLITE_READONLY)))
    assert did_nothing(ServerError("25006"))
    assert not did_nothing(of_statement(ServerError("08006")))


class PooledConnection:
    """A fake connection of the pool."""

    def __init__(self, *, closed: bool = False, answers: bool = True) -> None:
        self.driver_connection = self
        self.info: dict[str, Any] = {}
        self.pings = 0
        self._closed = closed
        self._answers = answers

    def is_closed(self) -> bool:
        """Return whether the driver knows that the connection is closed."""
        return self._closed

    def run_async(self, _ping: object) -> bool:
        """Return whether the server answers."""
        self.pings += 1
        return self._answers

    def check(self) -> None:
        """Run the check of the pool."""
        entry: Any = self
        refuse_dropped(self, entry, entry)


def test_only_idle_connections_are_pinged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 60)
    connection = PooledConnection()
    connection.check()
    connection.check()
    assert connection.pings == 0
    monkeypatch.setattr(connections, "IDLE_SECONDS", -1)
    connection.check()
    assert connection.pings == 1


def test_dropped_connections_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DisconnectionError):
        PooledConnection(closed=True).check()
    monkeypatch.setattr(connections, "IDLE_SECONDS", -1)
    with pytest.raises(InvalidatePoolError):
        PooledConnection(answers=False).check()


@pytest.mark.parametrize("autocommit", [False, True])
def test_connections_to_a_server_are_checked(autocommit: bool) -> None:
    created = engine.create_engine("postgresql://127.0.0.1/a", autocommit=autocommit)
    assert event.contains(created.sync_engine, "checkout", refuse_dropped)
