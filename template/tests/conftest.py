"""Fixtures: a migrated database, the app on it, and people who use it."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlmodel import SQLModel

from app.database import Database
from app.factory import create_app
from tests.databases import alembic, empty_database
from tests.identity import settings_for_tests
from tests.people import People, Person


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run the tests on asyncio, in one event loop, so that connections can be kept."""
    return "asyncio"


@pytest.fixture(scope="session")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastAPI]:
    """The app, on a database that the migrations made."""
    async with empty_database(tmp_path_factory.mktemp("database")) as url:
        await alembic(url, "upgrade", "head")
        with settings_for_tests(url) as settings:
            app = create_app(settings)
            async with app.router.lifespan_context(app):
                yield app


@pytest.fixture
async def database(app: FastAPI) -> AsyncIterator[Database]:
    """The app's database, empty before and after each test."""
    database: Database = app.state.database
    yield database
    async with database.begin() as connection:
        for table in reversed(SQLModel.metadata.sorted_tables):
            await connection.execute(table.delete())


@pytest.fixture
async def client(app: FastAPI, database: Database) -> AsyncIterator[AsyncClient]:
    """A client with no credentials."""
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.fixture
async def people(app: FastAPI, client: AsyncClient) -> AsyncIterator[People]:
    """A way to get signed-in users."""
    async with People(app, client) as people:
        yield people


@pytest.fixture
async def alice(people: People) -> Person:
    """A user."""
    return await people.sign_in("alice")


@pytest.fixture
async def bob(people: People) -> Person:
    """Another user."""
    return await people.sign_in("bob")
