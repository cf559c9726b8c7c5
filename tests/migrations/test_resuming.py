"""A migration that failed or was interrupted half-way continues with the same command."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import Render
from tests.migrations.rows import copy_revisions
from tests.support.environment import Environment
from tests.support.postgres import Postgres

pytestmark = pytest.mark.long

CREATE = ("python", "-m", "scripts.migrations", "create")
MIGRATE = ("python", "-m", "migrations")
# Prints the first value of the last statement's first row.
QUERY = """
import asyncio, sys, asyncpg

async def main(url, *statements):
    connection = await asyncpg.connect(url)
    for statement in statements:
        try:
            found = await connection.fetchval(statement)
        except asyncpg.UniqueViolationError:
            found = "not unique"
    await connection.close()
    print(found)

asyncio.run(main(*sys.argv[1:]))
"""
USER = """
    INSERT INTO users (id, email, password_hash, password_changed_at, created_at)
    VALUES (gen_random_uuid(), 'a@example.com', 'x', now(), now())
"""
TASKS = """
    INSERT INTO tasks (id, user_id, created_at, updated_at, title, value)
    SELECT gen_random_uuid(), (SELECT id FROM users), now(), now(), repeat('title', 9), {value}
    FROM generate_series(1, {rows}) AS number
"""
INDEX = "CREATE UNIQUE INDEX CONCURRENTLY uq_tasks_user_id_value ON tasks (user_id, value)"
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'uq_tasks_user_id_value'::regclass"
ROWS = 200_000
SECONDS = 60


def fields(**value: object) -> dict[str, object]:
    """Return answers with a title and a value."""
    return {"title": {"type": "str", "max_length": 50}, "value": {"type": "str", **value}}


def query(environment: Environment, url: str, *statements: str) -> str:
    """Execute statements, and return the value of the last one."""
    return environment.check(Path("/"), "python", "-c", QUERY, url, *statements).strip()


def test_invalid_index_is_built_again(
    render: Render, environment: Environment, postgres: Postgres
) -> None:
    old, new = render(fields=fields()), render(fields=fields(unique=True))
    copy_revisions(old, new)
    environment.check(new, *CREATE, MESSAGE="unique")
    with postgres.database() as url:
        environment.check(old, *MIGRATE, DATABASE_URL=url)
        statements = USER, TASKS.format(value="'same'", rows=2), INDEX
        assert query(environment, url, *statements) == "not unique"
        assert query(environment, url, VALID) == "False"
        refused = environment.run(new, *MIGRATE, DATABASE_URL=url)
        assert refused.returncode == 1
        assert "must be unique, but has duplicates (1 rows)" in refused.stdout
        query(environment, url, "UPDATE tasks SET value = id")
        environment.check(new, *MIGRATE, DATABASE_URL=url)
        assert query(environment, url, VALID) == "True"


def test_interrupted_fill_continues(
    render: Render, environment: Environment, postgres: Postgres
) -> None:
    old, new = render(fields=fields(required=False)), render(fields=fields(default="new"))
    copy_revisions(old, new)
    environment.check(new, *CREATE, MESSAGE="required")
    filled = "SELECT count(*) FROM tasks WHERE value = 'new'"
    with postgres.database() as url:
        environment.check(old, *MIGRATE, DATABASE_URL=url)
        query(environment, url, USER, TASKS.format(value="NULL", rows=ROWS))
        process = subprocess.Popen(
            [environment.python, *MIGRATE[1:]],
            cwd=new,
            env={**os.environ, "DATABASE_URL": url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + SECONDS
        while query(environment, url, filled) == "0" and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert 0 < int(query(environment, url, filled)) < ROWS
        environment.check(new, *MIGRATE, DATABASE_URL=url)
        assert query(environment, url, filled) == str(ROWS)
        environment.check(new, "alembic", "check", DATABASE_URL=url)
