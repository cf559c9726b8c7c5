"""Fixtures: the app on a migrated database, clients of users, and captured logs."""

import io
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Literal

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy import exists, literal, select, union_all
from sqlmodel import SQLModel

from app.db.database import Database
from app.factory import create_app
from app.http.logs import configure_logging
from app.state import get_state
from tests.support.databases import alembic, empty_database
from tests.support.identity import settings_for_tests
from tests.support.users import UserClient, Users

# Rows that refer to others come first.
TABLES = [*reversed(SQLModel.metadata.sorted_tables)]
# Selects the names of the tables that have rows: after most tests, few of them do.
FILLED = union_all(*(select(literal(table.name)).where(exists(table.select())) for table in TABLES))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run all tests on asyncio in one event loop, so that connections can be shared."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def nothing_is_sent() -> Iterator[None]:
    """Remove the variables by which traces and error reports would be sent somewhere."""
    with pytest.MonkeyPatch.context() as patch:
        for name in tuple(os.environ):
            if name.startswith(("OTEL_", "SENTRY_")):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastAPI]:
    """The app, on a database created by the migrations."""
    async with empty_database(tmp_path_factory.mktemp("database")) as url:
        await alembic(url, "upgrade", "head")
        with settings_for_tests(url) as settings:
            app = create_app(settings)
            async with app.router.lifespan_context(app):
                yield app


@pytest.fixture
async def database(app: FastAPI) -> AsyncIterator[Database]:
    """The app's database, empty before and after each test."""
    database: Database = get_state(app).database
    yield database
    async with database.transaction() as connection:
        filled = set(await connection.scalars(FILLED))
        for table in TABLES:
            if table.name in filled:
                await connection.execute(table.delete())


@pytest.fixture
async def client(app: FastAPI, database: Database) -> AsyncIterator[AsyncClient]:
    """A client without credentials."""
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.fixture
async def users(app: FastAPI, client: AsyncClient) -> AsyncIterator[Users]:
    """Signs users in by name."""
    async with Users(app, client) as users:
        yield users


@pytest.fixture
async def alice(users: Users) -> UserClient:
    """The client of a user."""
    return await users.sign_in("alice")


@pytest.fixture
async def bob(users: Users) -> UserClient:
    """The client of another user."""
    return await users.sign_in("bob")


@pytest.fixture
def configure() -> Iterator[Callable[..., io.StringIO]]:
    """Configure logging as the app does, and return the output; undone after the test."""
    root, own = logging.getLogger(), logging.getLogger("app")
    handlers, levels = root.handlers[:], (root.level, own.level)
    root.handlers.clear()

    def capture(log_format: Literal["console", "json"], level: str = "INFO") -> io.StringIO:
        configure_logging(log_format, level)
        [handler] = root.handlers
        assert isinstance(handler, logging.StreamHandler)
        text = io.StringIO()
        handler.setStream(text)
        return text

    yield capture
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    own.setLevel(levels[1])
