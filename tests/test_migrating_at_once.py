"""Replicas that migrate at the same time: each waits for the one that was first."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.environment import Environment
from tests.support.postgres import Postgres
from tests.support.rendering import render
from tests.support.servers import pgbouncer

pytestmark = pytest.mark.long

REPLICAS = 6
ROUNDS = 4


@pytest.fixture(scope="module")
def backend(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of the default answers."""
    return render(template, tmp_path_factory.mktemp("backend") / "one", {})


@contextmanager
def database(kind: str, folder: Path, postgres: Postgres) -> Iterator[str]:
    """Yield the URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'tasks.db'}"
        return
    with postgres.database() as url:
        if kind == "postgresql":
            yield url
        else:
            with pgbouncer(url) as through:
                yield f"{through}?pgbouncer=true"


async def upgrade(environment: Environment, backend: Path, url: str) -> tuple[int | None, str]:
    """Migrate in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        environment.python,
        *("-m", "alembic", "upgrade", "head"),
        cwd=backend,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": url, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "pgbouncer"])
def test_all_of_them_succeed(
    kind: str, backend: Path, environment: Environment, postgres: Postgres, tmp_path: Path
) -> None:
    async def all_at_once(url: str) -> list[tuple[int | None, str]]:
        replicas = [upgrade(environment, backend, url) for _ in range(REPLICAS)]
        return await asyncio.gather(*replicas)

    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        with database(kind, folder, postgres) as url:
            failed = [output for status, output in asyncio.run(all_at_once(url)) if status]
            assert failed == [], f"round {number}"
            environment.check(backend, "alembic", "check", DATABASE_URL=url)
