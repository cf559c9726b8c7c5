"""Empty databases for tests and for the comparison of models and migrations."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import text

from app.db.engine import create_engine
from app.db.url.parse import read_database_url


class ServerSettings(BaseSettings):
    """The server on which databases are created; SQLite files if there is none."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    test_database_url: str = ""


SERVER_URL = ServerSettings().test_database_url


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
        yield f"sqlite:///{(folder / name).as_posix()}.db"
        return
    await _execute_on_server(f"CREATE DATABASE {name}")
    try:
        yield with_database(SERVER_URL, name)
    finally:
        await _execute_on_server(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def temporary_database() -> Iterator[str]:
    """Create an empty database outside of an event loop; yield its URL."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            yield runner.run(stack.enter_async_context(empty_database(Path(folder))))
        finally:
            runner.run(stack.aclose())
