"""Temporary databases for tests: created for them, and dropped afterwards."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from anyio import to_thread
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import text

from app.db.engine import create_engine
from app.db.url.parse import read_database_url


class ServerSettings(BaseSettings):
    """The server on which the tests create databases; SQLite files if there is none."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    test_database_url: str = ""


SERVER_URL = ServerSettings().test_database_url

needs_server = pytest.mark.skipif(not SERVER_URL, reason="needs a PostgreSQL server")


async def _execute_on_server(statement: str) -> None:
    engine = create_engine(SERVER_URL, autocommit=True)
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


def with_database(url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    server, _, query = url.strip(" '\"").partition("?")
    scheme, _, rest = server.partition("://")
    kept = [part for part in query.split("&") if part and not part.startswith("dbname=")]
    return f"{scheme}://{rest.partition('/')[0]}/?{'&'.join([*kept, f'dbname={name}'])}"


@asynccontextmanager
async def empty_database(folder: Path) -> AsyncIterator[str]:
    """Create an empty database on the server of TEST_DATABASE_URL or a SQLite file; yield its URL."""
    name = f"test_{secrets.token_hex(8)}"
    if not SERVER_URL or read_database_url(SERVER_URL).url.get_backend_name() == "sqlite":
        yield f"sqlite:///{folder / name}.db"
        return
    await _execute_on_server(f"CREATE DATABASE {name}")
    try:
        yield with_database(SERVER_URL, name)
    finally:
        await _execute_on_server(f"DROP DATABASE {name} WITH (FORCE)")


async def alembic(url: str, action: str, *arguments: str, scripts: Path | None = None) -> None:
    """Run an Alembic command on a database; `scripts` replaces the folder of the migrations."""
    config = Config(toml_file="pyproject.toml")
    if scripts:
        config.set_main_option("script_location", str(scripts))

    def run() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DATABASE_URL", url)
            getattr(command, action)(config, *arguments)

    # In a thread, because the migrations run their own event loop.
    await to_thread.run_sync(run)
