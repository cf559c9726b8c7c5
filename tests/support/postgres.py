"""A database of its own for whatever is to be proven on PostgreSQL, where a server answers."""

import getpass
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.support.environment import Environment

# Runs in the environment of the renders, which has the driver that the template's own has not.
STATEMENT = """
import asyncio, sys, asyncpg

async def main(url, statement):
    connection = await asyncpg.connect(url, timeout=5)
    await connection.execute(statement)
    await connection.close()

asyncio.run(main(*sys.argv[1:]))
"""


def server() -> str:
    """The server to use: TEST_POSTGRES_URL, or the one that usually runs on a developer's machine.

    Its user must be allowed to create databases.
    """
    user = os.environ.get("PGUSER") or getpass.getuser()
    return os.environ.get("TEST_POSTGRES_URL") or f"postgresql://{user}@127.0.0.1:5432/postgres"


class Postgres:
    """A server that answered once, or did not: asked no more than once in a session."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.answer = environment.run(Path("/"), "python", "-c", STATEMENT, server(), "SELECT 1")

    def execute(self, statement: str) -> None:
        """Run one statement on the server."""
        self.environment.check(Path("/"), "python", "-c", STATEMENT, server(), statement)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Yield the URL of an empty database, dropped afterwards."""
        if self.answer.returncode:
            reason = (self.answer.stdout.strip().splitlines() or ["no answer"])[-1]
            message = f"no PostgreSQL at {urlsplit(server()).netloc.rpartition('@')[2]}: {reason}"
            # A server that somebody named is meant to be there.
            pytest.fail(message) if "TEST_POSTGRES_URL" in os.environ else pytest.skip(message)
        name = f"todo_template_{uuid.uuid4().hex}"
        self.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(server())._replace(path=f"/{name}"))
        finally:
            self.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
