"""Outages: 503 while the database is unreachable, busy or read-only, and recovery afterwards."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import Executable, func, insert, make_url, select, text
from sqlalchemy.exc import DBAPIError

from app.db import connections, database, engine
from app.db.database import Database
from app.errors import ServiceUnavailable
from tests.support.databases import SERVER_URL, empty_database, needs_server
from tests.support.error_shape import error_of
from tests.support.outages import (
    COUNT,
    MANY,
    METHODS,
    SINGLE,
    WRITE,
    in_use,
    notes,
    notes_database_at,
    open_notes,
    run,
)
from tests.support.probe import open_client
from tests.support.proxy import Proxy, open_proxy

END_SESSIONS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid != pg_backend_pid()"
)
EMAIL = "ada@example.com"


@pytest.fixture(scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The URL of a database of the kind that the tests use."""
    async with empty_database(tmp_path_factory.mktemp("outages")) as url:
        # asyncpg leaves an unhandled exception when a TLS handshake is cancelled.
        plain = make_url(url).update_query_dict({"sslmode": "disable"} if SERVER_URL else {})
        yield plain.render_as_string(hide_password=False)


@pytest.fixture
async def notes_database(url: str) -> AsyncIterator[Database]:
    """An open database with the empty table."""
    async with notes_database_at(url) as opened:
        yield opened


@pytest.fixture
async def admin(url: str) -> AsyncIterator[Database]:
    """The same database, for an administrator."""
    opened = Database(url)
    yield opened
    await opened.dispose()


@pytest.fixture
async def proxied(url: str) -> AsyncIterator[tuple[Proxy, Database]]:
    """The same database through a proxy, and the proxy."""
    async with open_proxy(url) as (proxy, through):
        opened = await open_notes(through)
        yield proxy, opened
        proxy.resume()
        await opened.dispose()


def test_timeouts_add_up_to_less_than_five_seconds() -> None:
    assert database.ANSWER_TIMEOUT_SECONDS + connections.CLOSE_TIMEOUT_SECONDS < 5
    assert engine.SQLITE_BUSY_TIMEOUT_MS / 1000 < database.ANSWER_TIMEOUT_SECONDS


@needs_server
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("pause", "times"), [(0, MANY), (0.05, 2)])
async def test_sessions_that_the_server_closed(
    notes_database: Database, admin: Database, method: str, pause: float, times: int
) -> None:
    for written in range(times):
        await run(notes_database, COUNT, method)
        await run(admin, END_SESSIONS)
        # Without a pause, the message of the server may not have arrived yet.
        await asyncio.sleep(pause)
        await run(notes_database, WRITE, method)
        # Once: a statement that may have had an effect is not retried.
        assert await run(admin, COUNT) == written + 1
    assert in_use(notes_database) == 0


@needs_server
async def test_service_is_ready_after_sessions_were_closed(
    app: FastAPI, url: str, admin: Database
) -> None:
    async with open_client(app, database_url=url) as client:
        for _ in range(MANY):
            assert (await client.get("/ready")).status_code == 200
            await run(admin, END_SESSIONS)


@needs_server
async def test_statement_of_a_transaction_is_not_retried(
    notes_database: Database, admin: Database
) -> None:
    async def write_twice() -> None:
        async with notes_database.transaction() as connection:
            await connection.execute(WRITE)
            await run(admin, END_SESSIONS)
            await asyncio.sleep(0.05)
            await connection.execute(WRITE)

    with pytest.raises(ServiceUnavailable):
        await write_twice()
    assert await run(notes_database, COUNT) == 0


@needs_server
@pytest.mark.parametrize("method", SINGLE)
async def test_write_that_may_have_been_stored_is_not_retried(
    notes_database: Database, proxied: tuple[Proxy, Database], method: str
) -> None:
    proxy, through = proxied
    await run(through, COUNT)
    proxy.pause()
    write = asyncio.create_task(run(through, WRITE, method))
    await asyncio.sleep(0.05)
    await proxy.close_connections()
    with pytest.raises(ServiceUnavailable):
        await write
    assert await run(notes_database, COUNT) == 0


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
    proxy.drop_connections()
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
    proxy.pause()
    many = (run(through, WRITE, method) for _ in range(MANY))
    async with asyncio.timeout(2):
        results = await asyncio.gather(*many, return_exceptions=True)
    assert {type(result) for result in results} == {ServiceUnavailable}
    assert in_use(through) == 0
    proxy.resume()
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
            proxy.pause()
            raise LookupError

    async with asyncio.timeout(2):
        with pytest.raises(LookupError):
            await fail()
    assert in_use(through) == 0


@pytest.mark.parametrize("method", METHODS)
async def test_cancelled_requests_return_their_connections(
    notes_database: Database, method: str
) -> None:
    async def give_up(delay: float) -> None:
        async with asyncio.timeout(delay):
            while True:
                await run(notes_database, WRITE, method)

    many = (give_up(number / 200) for number in range(MANY))
    results = await asyncio.gather(*many, return_exceptions=True)
    assert {type(result) for result in results} == {TimeoutError}
    assert in_use(notes_database) == 0
    await run(notes_database, WRITE, method)


async def test_timeout_of_a_block_differs_from_other_timeouts(
    notes_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait(seconds: float) -> None:
        async with notes_database.transaction():
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
    notes_database: Database, admin: Database, method: str
) -> None:
    name = await run(notes_database, text("SELECT current_database()"))
    await run(admin, text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    await run(admin, END_SESSIONS)
    assert await run(notes_database, COUNT, method) == 0
    with pytest.raises(ServiceUnavailable):
        await run(notes_database, WRITE, method)
    assert await run(notes_database, COUNT, method) == 0
    # The session of the admin is older than the change.
    await run(admin, text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
    await run(notes_database, WRITE, method)
    assert await run(notes_database, COUNT, method) == 1


@needs_server
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("state", ["40001", "40P01", "53100", "53300", "55P03", "57014"])
async def test_temporary_errors(notes_database: Database, method: str, state: str) -> None:
    await run(
        notes_database,
        text(
            "CREATE OR REPLACE FUNCTION refuse(state text) RETURNS int LANGUAGE plpgsql AS $$"
            " BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = state; END $$"
        ),
    )
    with pytest.raises(ServiceUnavailable):
        await run(notes_database, select(func.refuse(state)), method)
    await run(notes_database, WRITE, method)


@needs_server
async def test_other_errors(notes_database: Database) -> None:
    with pytest.raises(DBAPIError, match="refused"):
        await run(notes_database, text("DO $$ BEGIN RAISE EXCEPTION 'refused'; END $$"))


@needs_server
async def test_commit_that_fails(notes_database: Database) -> None:
    await run(
        notes_database,
        text(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '40001'; END $$"
        ),
    )
    await run(
        notes_database,
        text(
            "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION refuse()"
        ),
    )
    with pytest.raises(ServiceUnavailable):
        await run(notes_database, WRITE, "transaction")
    assert await run(notes_database, COUNT, "transaction") == 0
    assert in_use(notes_database) == 0


@needs_server
@pytest.mark.parametrize("method", SINGLE)
async def test_statement_that_waits_for_a_lock_is_cancelled(
    notes_database: Database, admin: Database, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    await run(notes_database, WRITE)
    async with admin.transaction() as holding:
        await holding.execute(notes.update().values(text="b"))
        with monkeypatch.context() as patch:
            patch.setattr(database, "ANSWER_TIMEOUT_SECONDS", 0.2)
            with pytest.raises(ServiceUnavailable):
                await run(notes_database, notes.update().values(text="c"), method)
    # No statement is still waiting in the server, to write when the lock is released.
    assert await run(notes_database, select(notes.c.text)) == "b"


async def logged(opened: Database, statement: Executable) -> str:
    """Return the traceback of a failed statement, as it is logged."""
    with pytest.raises(DBAPIError) as caught:
        await run(opened, statement)
    return "".join(traceback.format_exception(caught.value))


async def test_errors_do_not_contain_values(notes_database: Database) -> None:
    taken = insert(notes).values(id=1, text=EMAIL)
    await run(notes_database, taken)
    assert EMAIL not in await logged(notes_database, taken)


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
async def test_server_messages_do_not_contain_values(
    notes_database: Database, statement: Executable
) -> None:
    assert EMAIL not in await logged(notes_database, statement)


async def test_log_names_the_cause(
    app: FastAPI, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        async with open_client(
            app, database_url=f"sqlite:///{tmp_path}/no/such/folder/a.db"
        ) as client:
            response = await client.get("/ready")
    error_of(response, 503, "SERVICE_UNAVAILABLE")
    assert "unable to open database file" in caplog.text
