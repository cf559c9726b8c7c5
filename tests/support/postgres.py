"""Temporary databases on a PostgreSQL server."""

import getpass
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.support.environment import Environment

# Runs in the environment of the rendered projects, because this one does not have the driver.
STATEMENT = """
import asyncio, sys, asyncpg

async def main(url, statement):
    connection = await asyncpg.connect(url, timeout=5)
    await connection.execute(statement)
    await connection.close()

asyncio.run(main(*sys.argv[1:]))
"""


def server_url() -> str:
    """Return TEST_POSTGRES_URL, or the URL of a local server.

    The user must be allowed to create databases.
    """
    user = os.environ.get("PGUSER") or getpass.getuser()
    return os.environ.get("TEST_POSTGRES_URL") or f"postgresql://{user}@127.0.0.1:5432/postgres"


class Postgres:
    """A server; whether it is available is tested once."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        ping = ("python", "-c", STATEMENT, server_url(), "SELECT 1")
        self.ping = environment.run(Path("/"), *ping)

    @property
    def available(self) -> bool:
        """Whether the server accepts connections."""
        return self.ping.returncode == 0

    def execute(self, statement: str) -> None:
        """Run one statement on the server."""
        self.environment.check(Path("/"), "python", "-c", STATEMENT, server_url(), statement)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Yield the URL of an empty database, dropped afterwards."""
        if not self.available:
            reason = (self.ping.stdout.strip().splitlines() or ["no output"])[-1]
            message = (
                f"no PostgreSQL at {urlsplit(server_url()).netloc.rpartition('@')[2]}: {reason}"
            )
            # A server that is configured must be available.
            pytest.fail(message) if "TEST_POSTGRES_URL" in os.environ else pytest.skip(message)
        name = f"todo_template_{uuid.uuid4().hex}"
        self.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(server_url())._replace(path=f"/{name}"))
        finally:
            self.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def empty_database(kind: str, file: Path, postgres: Postgres) -> Iterator[str]:
    """Yield the URL of an empty database: a SQLite file, or a database on the server."""
    if kind == "sqlite":
        yield f"sqlite:///{file}"
    else:
        with postgres.database() as url:
            yield url
