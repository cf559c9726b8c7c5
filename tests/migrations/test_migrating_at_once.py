"""Concurrent migrations wait for each other."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.migrations.rows import copy_revisions
from tests.support.environment import Environment
from tests.support.postgres import Postgres, empty_database
from tests.support.rendering import render
from tests.support.servers import pgbouncer

pytestmark = pytest.mark.long

KINDS = ("sqlite", "postgresql", "pgbouncer")
REPLICAS = 6
ROUNDS = 1
# Longer than LOCK_TIMEOUT, and than the app waits for a SQLite file.
LONG_SECONDS = 6


@pytest.fixture(scope="module")
def backend(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the default answers."""
    return render(template, tmp_path_factory.mktemp("backend") / "one", {})


@pytest.fixture(scope="module")
def changed(
    template: Path,
    backend: Path,
    environment: Environment,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A project with pending revisions, of which one builds an index while others write."""
    fields = {"title": {"type": "str", "index": True}, "value": {"type": "int", "default": 7}}
    project = render(template, tmp_path_factory.mktemp("changed") / "project", {"fields": fields})
    copy_revisions(backend, project)
    create = ("python", "-m", "scripts.migrations", "create")
    environment.check(project, *create, MESSAGE="changed")
    return project


@pytest.fixture(scope="module")
def slow(backend: Path) -> Path:
    """The same project, with a first revision that sleeps after creating its tables."""
    project = backend.with_name("slow")
    shutil.copytree(backend, project)
    [revision] = (project / "migrations" / "versions").glob("*.py")
    text = revision.read_text(encoding="utf-8")
    upgrade, downgrade, rest = text.partition("\n\n\ndef downgrade() -> None:\n")
    assert downgrade
    sleep = f"\n    __import__('time').sleep({LONG_SECONDS})"
    revision.write_text(f"{upgrade}{sleep}{downgrade}{rest}", encoding="utf-8")
    return project


@contextmanager
def database(kind: str, folder: Path, postgres: Postgres) -> Iterator[str]:
    """Yield the URL of an empty database."""
    with empty_database(kind, folder / "tasks.db", postgres) as url:
        if kind == "pgbouncer":
            with pgbouncer(url) as pooled:
                yield f"{pooled}?pgbouncer=true"
        else:
            yield url


async def upgrade(environment: Environment, backend: Path, url: str) -> tuple[int | None, str]:
    """Migrate in a separate process; return its exit status and output."""
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


async def upgrade_concurrently(environment: Environment, backend: Path, url: str) -> list[str]:
    """Migrate in several processes, and return the output of those that failed."""
    replicas = [upgrade(environment, backend, url) for _ in range(REPLICAS)]
    return [output for status, output in await asyncio.gather(*replicas) if status]


@pytest.mark.parametrize("kind", KINDS)
def test_concurrent_upgrades_succeed(
    kind: str, backend: Path, environment: Environment, postgres: Postgres, tmp_path: Path
) -> None:
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        with database(kind, folder, postgres) as url:
            assert asyncio.run(upgrade_concurrently(environment, backend, url)) == [], (
                f"round {number}"
            )
            environment.check(backend, "alembic", "check", DATABASE_URL=url)


@pytest.mark.parametrize("kind", KINDS)
def test_concurrent_upgrades_apply_pending_revisions(
    kind: str,
    backend: Path,
    changed: Path,
    *,
    environment: Environment,
    postgres: Postgres,
    tmp_path: Path,
) -> None:
    with database(kind, tmp_path, postgres) as url:
        environment.check(backend, "alembic", "upgrade", "head", DATABASE_URL=url)
        assert asyncio.run(upgrade_concurrently(environment, changed, url)) == []
        environment.check(changed, "alembic", "check", DATABASE_URL=url)


@pytest.mark.parametrize("kind", KINDS)
def test_concurrent_upgrades_wait_for_a_long_one(
    kind: str, slow: Path, environment: Environment, postgres: Postgres, tmp_path: Path
) -> None:
    with database(kind, tmp_path, postgres) as url:
        assert asyncio.run(upgrade_concurrently(environment, slow, url)) == []
        environment.check(slow, "alembic", "check", DATABASE_URL=url)
