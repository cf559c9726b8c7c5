"""Outages: 503 while the database is unreachable, busy, full or read-only, and recovery."""

import asyncio
import logging
import sqlite3
import threading
import traceback
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest
from anyio import to_thread
from fastapi import FastAPI
from sqlalchemy import (
    Column,
    Executable,
    Integer,
    MetaData,
    String,
    Table,
    event,
    func,
    insert,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, DisconnectionError, InvalidatePoolError

from app.db import connections, database, engine
from app.db.connections import refuse_dropped
from app.db.database import Database
from app.db.outages import did_nothing, is_temporary, only_reads
from app.errors import ServiceUnavailable
from tests.support.databases import SERVER_URL, empty_database
from tests.support.error_shape import error_of
from tests.support.probe import probe
from tests.support.proxy import Proxy, proxy_to

needs_server = pytest.mark.skipif(not SERVER_URL, reason="needs a server")

notes = Table(
    "notes",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("text", String, nullable=False),
)
WRITE = insert(notes).values(text="a")
COUNT = select(func.count()).select_from(notes)
END_SESSIONS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid != pg_backend_pid()"
)
METHODS = ("autocommit", "transaction")
SOME = 20
EMAIL = "ada@example.com"
# Threads of other tests.
OTHERS = WeakSet[threading.Thread]()


@pytest.fixture(scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A database of the kind that the tests run on."""
    async with empty_database(tmp_path_factory.mktemp("outages")) as url:
        # asyncpg leaves an unhandled exception when a TLS handshake is cancelled.
        plain = make_url(url).update_query_dict({"sslmode": "disable"} if SERVER_URL else {})
        yield plain.render_as_string(hide_password=False)


async def with_notes(url: str) -> Database:
    """Open a database with an empty table."""
    opened = Database(url)
    async with opened.transaction() as connection:
        await connection.run_sync(notes.metadata.drop_all)
        await connection.run_sync(notes.metadata.create_all)
    return opened


async def close(opened: Database) -> None:
    """Close a database; no thread still runs a cancelled statement."""
    await opened.dispose()
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name and thread not in OTHERS:
            await to_thread.run_sync(thread.join, 10)
            assert not thread.is_alive()


@pytest.fixture
async def own(url: str) -> AsyncIterator[Database]:
    """An open database."""
    OTHERS.update(threading.enumerate())
    opened = await with_notes(url)
    yield opened
    await close(opened)


@pytest.fixture
async def admin(url: str) -> AsyncIterator[Database]:
    """The same database, for an administrator."""
    opened = Database(url)
    yield opened
    await opened.dispose()


@pytest.fixture
async def proxied(url: str) -> AsyncIterator[tuple[Proxy, Database]]:
    """The same database through a proxy, and the proxy."""
    async with proxy_to(url) as (proxy, through):
        opened = await with_notes(through)
        yield proxy, opened
        proxy.speak()
        await opened.dispose()


async def run(opened: Database, statement: Executable, method: str = "autocommit") -> Any:
    """Execute a statement with autocommit or in a transaction; return its first value, if any."""
    async with getattr(opened, method)() as connection:
        result = await connection.execute(statement)
        return result.scalar() if result.returns_rows else None


def in_use(opened: Database) -> int:
    """Return the number of connections that were not returned to the pool."""
    engines = (opened._statements, opened._transactions)  # noqa: SLF001
    return sum(engine.sync_engine.pool.checkedout() for engine in engines)  # type: ignore[attr-defined]


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
    assert not is_temporary(error)


def test_only_reads() -> None:
    assert only_reads(select(notes.c.id).where(notes.c.id.in_(select(notes.c.id))))
    assert not only_reads(WRITE)
    written = insert(notes).values(text="a").returning(notes.c.id).cte()
    assert not only_reads(select(written.c.id))
    assert not only_reads(text("SELECT 1"))


def test_read_only_errors_did_nothing() -> None:
    assert did_nothing(of_statement(ServerError("25006")))
    assert did_nothing(of_statement(file_error(sqlite3.SQLITE_READONLY)))
    assert not did_nothing(of_statement(ServerError("08006")))


def test_timeouts_add_up_to_less_than_five_seconds() -> None:
    assert database.ANSWER_TIMEOUT_SECONDS + connections.CLOSE_TIMEOUT_SECONDS < 5
    waits = (engine.POOL_TIMEOUT_SECONDS, engine.SQLITE_BUSY_TIMEOUT_MS / 1000)
    assert max(waits) < database.ANSWER_TIMEOUT_SECONDS


class Dropped:
    """A connection of the pool, for the check before its use."""

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
    connection = Dropped()
    connection.check()
    connection.check()
    assert connection.pings == 0
    monkeypatch.setattr(connections, "IDLE_SECONDS", -1)
    connection.check()
    assert connection.pings == 1


def test_dropped_connections_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DisconnectionError):
        Dropped(closed=True).check()
    monkeypatch.setattr(connections, "IDLE_SECONDS", -1)
    with pytest.raises(InvalidatePoolError):
        Dropped(answers=False).check()


@pytest.mark.parametrize("autocommit", [False, True])
def test_connections_to_a_server_are_checked(autocommit: bool) -> None:
    created = engine.create_engine("postgresql://127.0.0.1/a", autocommit=autocommit)
    assert event.contains(created.sync_engine, "checkout", refuse_dropped)


@needs_server
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("pause", "times"), [(0, SOME), (0.05, 2)])
async def test_sessions_that_the_server_closed(
    own: Database, admin: Database, method: str, pause: float, times: int
) -> None:
    for written in range(times):
        await run(own, COUNT, method)
        await run(admin, END_SESSIONS)
        # Without a pause, the message of the server may not have arrived yet.
        await asyncio.sleep(pause)
        await run(own, WRITE, method)
        # Once: a statement that may have had an effect is not retried.
        assert await run(admin, COUNT) == written + 1
    assert in_use(own) == 0


@needs_server
async def test_service_is_ready_after_sessions_were_closed(
    app: FastAPI, url: str, admin: Database
) -> None:
    async with probe(app, database_url=url) as client:
        for _ in range(SOME):
            assert (await client.get("/ready")).status_code == 200
            await run(admin, END_SESSIONS)


@needs_server
@pytest.mark.parametrize("method", METHODS)
async def test_second_statement_is_not_retried(own: Database, admin: Database, method: str) -> None:
    async def write_twice() -> None:
        async with getattr(own, method)() as connection:
            await connection.execute(WRITE)
            await run(admin, END_SESSIONS)
            await asyncio.sleep(0.05)
            await connection.execute(WRITE)

    with pytest.raises(ServiceUnavailable):
        await write_twice()
    assert await run(own, COUNT) == (1 if method == "autocommit" else 0)


@needs_server
async def test_write_that_may_have_been_stored_is_not_retried(
    own: Database, proxied: tuple[Proxy, Database]
) -> None:
    proxy, through = proxied
    await run(through, COUNT)
    proxy.fall_silent()
    write = asyncio.create_task(run(through, WRITE))
    await asyncio.sleep(0.05)
    await proxy.end()
    with pytest.raises(ServiceUnavailable):
        await write
    assert await run(own, COUNT) == 0


@needs_server
@pytest.mark.parametrize("method", METHODS)
async def test_idle_connections_that_the_network_dropped(
    proxied: tuple[Proxy, Database], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.05)
    monkeypatch.setattr(connections, "PING_TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr(connections, "CLOSE_TIMEOUT_SECONDS", 0.1)
    proxy, through = proxied
    await asyncio.gather(*(run(through, COUNT, method) for _ in range(3)))
    await asyncio.sleep(0.1)
    proxy.forget()
    await run(through, WRITE, method)
    assert await asyncio.gather(*(run(through, COUNT, method) for _ in range(3))) == [1, 1, 1]


@needs_server
@pytest.mark.parametrize("method", METHODS)
async def test_server_that_does_not_answer(
    proxied: tuple[Proxy, Database], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(database, "ANSWER_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(connections, "CLOSE_TIMEOUT_SECONDS", 0.1)
    proxy, through = proxied
    await run(through, COUNT, method)
    proxy.fall_silent()
    many = (run(through, WRITE, method) for _ in range(SOME))
    async with asyncio.timeout(2):
        answers = await asyncio.gather(*many, return_exceptions=True)
    assert {type(answer) for answer in answers} == {ServiceUnavailable}
    assert in_use(through) == 0
    proxy.speak()
    await run(through, WRITE, method)


@needs_server
async def test_server_that_does_not_answer_a_rollback(
    proxied: tuple[Proxy, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "CLOSE_TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr(connections, "CLOSE_TIMEOUT_SECONDS", 0.1)
    proxy, through = proxied

    async def fail() -> None:
        async with through.transaction() as connection:
            await connection.execute(WRITE)
            proxy.fall_silent()
            raise LookupError

    async with asyncio.timeout(2):
        with pytest.raises(LookupError):
            await fail()
    assert in_use(through) == 0


@pytest.mark.parametrize("method", METHODS)
async def test_cancelled_requests_return_their_connections(own: Database, method: str) -> None:
    async def give_up(delay: float) -> None:
        async with asyncio.timeout(delay), getattr(own, method)() as connection:
            while True:
                await connection.execute(WRITE)

    many = (give_up(number / 200) for number in range(SOME))
    answers = await asyncio.gather(*many, return_exceptions=True)
    assert {type(answer) for answer in answers} == {TimeoutError}
    assert in_use(own) == 0
    await run(own, WRITE, method)


async def test_timeout_of_a_block_differs_from_other_timeouts(
    own: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait(seconds: float) -> None:
        async with own.transaction():
            async with asyncio.timeout(seconds):
                await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        await wait(0.01)
    monkeypatch.setattr(database, "ANSWER_TIMEOUT_SECONDS", 0.05)
    with pytest.raises(ServiceUnavailable):
        await wait(60)


@needs_server
@pytest.mark.parametrize("method", METHODS)
async def test_database_that_is_read_only_temporarily(
    own: Database, admin: Database, method: str
) -> None:
    name = await run(own, text("SELECT current_database()"))
    await run(admin, text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    await run(admin, END_SESSIONS)
    assert await run(own, COUNT, method) == 0
    with pytest.raises(ServiceUnavailable):
        await run(own, WRITE, method)
    assert await run(own, COUNT, method) == 0
    # The session of the admin is older than the change.
    await run(admin, text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
    await run(own, WRITE, method)
    assert await run(own, COUNT, method) == 1


def raising(state: str) -> str:
    """Return a statement that the server rejects with a SQLSTATE."""
    return f"DO $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '{state}'; END $$"


@needs_server
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("state", ["40001", "40P01", "53100", "53300", "55P03", "57014"])
async def test_temporary_errors(own: Database, method: str, state: str) -> None:
    with pytest.raises(ServiceUnavailable):
        await run(own, text(raising(state)), method)
    await run(own, WRITE, method)


@needs_server
async def test_other_errors(own: Database) -> None:
    with pytest.raises(DBAPIError, match="refused"):
        await run(own, text(raising("P0001")))


@needs_server
async def test_commit_that_fails(own: Database) -> None:
    await run(
        own,
        text(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '40001'; END $$"
        ),
    )
    await run(
        own,
        text(
            "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION refuse()"
        ),
    )
    with pytest.raises(ServiceUnavailable):
        await run(own, WRITE, "transaction")
    assert await run(own, COUNT, "transaction") == 0
    assert in_use(own) == 0


@needs_server
async def test_statement_that_waits_for_a_lock_is_cancelled(
    own: Database, admin: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run(own, WRITE)
    async with admin.transaction() as holding:
        await holding.execute(notes.update().values(text="b"))
        with monkeypatch.context() as patch:
            patch.setattr(database, "ANSWER_TIMEOUT_SECONDS", 0.2)
            with pytest.raises(ServiceUnavailable):
                await run(own, notes.update().values(text="c"))
    # No statement is still waiting in the server, to write when the lock is released.
    assert await run(own, select(notes.c.text)) == "b"


async def logged(opened: Database, statement: Executable) -> str:
    """Return the traceback of a failed statement, as it is logged."""
    with pytest.raises(DBAPIError) as caught:
        await run(opened, statement)
    return "".join(traceback.format_exception(caught.value))


async def test_errors_do_not_contain_values(own: Database) -> None:
    taken = insert(notes).values(id=1, text=EMAIL)
    await run(own, taken)
    assert EMAIL not in await logged(own, taken)


@needs_server
@pytest.mark.parametrize(
    "statement",
    [
        # "Failing row contains …", "invalid input syntax …", "invalid input for query argument …"
        text("INSERT INTO notes (id, text) VALUES (NULL, :value)").bindparams(value=EMAIL),
        text("SELECT CAST(CAST(:value AS text) AS integer)").bindparams(value=EMAIL),
        text("SELECT CAST(:value AS integer)").bindparams(value=EMAIL),
    ],
)
async def test_server_messages_do_not_contain_values(own: Database, statement: Executable) -> None:
    assert EMAIL not in await logged(own, statement)


async def test_log_names_the_cause(
    app: FastAPI, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        async with probe(app, database_url=f"sqlite:///{tmp_path}/no/such/folder/a.db") as client:
            response = await client.get("/ready")
    error_of(response, 503, "SERVICE_UNAVAILABLE")
    assert "unable to open database file" in caplog.text


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of a new SQLite file."""
    return tmp_path / "a.db"


@pytest.fixture
async def sqlite(file: Path) -> AsyncIterator[Database]:
    """A SQLite database, also when the tests run on PostgreSQL."""
    OTHERS.update(threading.enumerate())
    opened = await with_notes(f"sqlite:///{file}")
    yield opened
    await close(opened)


@pytest.mark.parametrize("method", METHODS)
async def test_file_that_cannot_grow(sqlite: Database, method: str) -> None:
    large = insert(notes).values(text="a" * 100_000)

    async def fill() -> None:
        async with getattr(sqlite, method)() as connection:
            await connection.execute(text("PRAGMA max_page_count = 1"))
            await connection.execute(large)

    with pytest.raises(ServiceUnavailable):
        await fill()
    await sqlite.dispose()
    await run(sqlite, large, method)


@pytest.mark.parametrize("method", METHODS)
async def test_file_that_was_read_only(sqlite: Database, method: str) -> None:
    async def write() -> None:
        async with getattr(sqlite, method)() as connection:
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


async def test_statement_that_may_have_run_is_not_retried(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write_several() -> None:
        async with sqlite.autocommit() as connection:
            await connection.execute(insert(notes), [{"text": "a"}, {"text": "b"}])

    await run(sqlite, text("PRAGMA query_only = ON"))
    with pytest.raises(ServiceUnavailable):
        await write_several()
    monkeypatch.setattr(database, "did_nothing", lambda _error: False)
    await run(sqlite, text("PRAGMA query_only = ON"))
    with pytest.raises(ServiceUnavailable):
        await run(sqlite, WRITE)
    assert await run(sqlite, COUNT) == 0


@pytest.mark.parametrize("method", METHODS)
async def test_many_requests_while_a_file_is_locked(
    sqlite: Database, file: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with monkeypatch.context() as patch:
        patch.setattr(database, "ANSWER_TIMEOUT_SECONDS", 0.2)
        patch.setattr(connections, "CLOSE_TIMEOUT_SECONDS", 0.1)
        many = (run(sqlite, WRITE, method) for _ in range(SOME))
        async with asyncio.timeout(2):
            answers = await asyncio.gather(*many, return_exceptions=True)
    assert {type(answer) for answer in answers} == {ServiceUnavailable}
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
