"""Migrations and the app work with PgBouncer in transaction mode."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.environment import Environment
from tests.support.postgres import Postgres
from tests.support.preset_server import SECRET, Api, Caller, serve
from tests.support.rendering import render
from tests.support.servers import pgbouncer

pytestmark = pytest.mark.long

SETTING = "pgbouncer=true"
USERS = 8
ROUNDS = 4

# Uses several connections, for which PgBouncer has two connections to the server.
STATEMENTS = """
import asyncio, sys
from sqlalchemy import text
from app.db.database import Database

async def read(database, number):
    for _ in range(5):
        [row] = await database.execute(text("SELECT CAST(:n AS integer) AS n"), {"n": number})
        assert row["n"] == number
        async with database.transaction() as connection:
            found = await connection.execute(text("SELECT CAST(:n AS integer)"), {"n": -number})
            assert found.scalar_one() == -number

async def main(url):
    databases = [Database(url), Database(url)]
    reads = [read(database, number) for number in range(5) for database in databases]
    found = await asyncio.gather(*reads, return_exceptions=True)
    for database in databases:
        await database.dispose()
    print(sum(1 for one in found if one is not None), "of", len(found), "failed")

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def pooled_url(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty database behind PgBouncer."""
    with postgres.database() as url, pgbouncer(url) as pooled:
        yield pooled


@pytest.fixture(scope="module")
def backend(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the default answers."""
    return render(template, tmp_path_factory.mktemp("backend") / "one", {})


def use_tasks(caller: Caller, tasks: str) -> None:
    """Use all operations on tasks, and check the results."""
    for number in range(ROUNDS):
        task = caller.post(201, tasks, {"title": f"Number {number}", "tags": ["a", "b"]})
        where = f"{tasks}/{task['id']}"
        assert caller.get(200, where) == task
        assert caller.patch(200, where, {"title": "Other"})["title"] == "Other"
        assert caller.patch(200, f"{where}/complete")["completed"] is True
        bulk = caller.post(201, f"{tasks}/bulk", [{"title": f"Bulk {n}"} for n in range(5)])
        done = caller.post(200, f"{tasks}/bulk-complete", {"task_ids": [t["id"] for t in bulk]})
        assert done == {"updated_count": 5, "failed_ids": []}
        assert caller.get(200, f"{tasks}/search", query="OTHER")["pagination"]["total"] == 1
        caller.delete(204, where)
        caller.get(404, where)
    stats = caller.get(200, f"{tasks}/stats")
    assert (stats["total"], stats["completed"]) == (5 * ROUNDS, 5 * ROUNDS)


def use_api(api: Api) -> None:
    """Register, use tasks, refresh a token, change the password, and delete the account."""
    caller = api.register()
    use_tasks(caller, "/api/tasks")
    login = {"email": caller.user["email"], "password": "correct horse"}
    tokens = api.anonymous().post(200, "/api/auth/login", login)
    again = {"refresh_token": tokens["refresh_token"]}
    fresh = api.anonymous().post(200, "/api/auth/refresh", again)
    api.anonymous().post(401, "/api/auth/refresh", again)
    caller = Caller(api, api.anonymous().post(200, "/api/auth/login", login)["access_token"], {})
    assert fresh["refresh_token"] != tokens["refresh_token"]
    changed = {"current_password": "correct horse", "new_password": "battery staple"}
    caller.post(204, "/api/auth/password", changed)
    caller.delete(204, "/api/auth/me")


def test_app_and_migrations_work_through_pgbouncer(
    pooled_url: str, backend: Path, environment: Environment, tmp_path: Path
) -> None:
    url = f"{pooled_url}?{SETTING}"
    settings = {"JWT_SECRET_KEY": SECRET, "RATE_LIMIT_REGISTER": "1000/minute"}
    other = tmp_path / "two"
    other.symlink_to(backend)
    with (
        serve(environment, backend, url, **settings) as one,
        serve(environment, other, url, **settings) as two,
        ThreadPoolExecutor(USERS) as pool,
    ):
        assert one.anonymous().get(200, "/ready")
        list(pool.map(use_api, [one, two] * (USERS // 2)))


def test_downgrade_and_check_work_through_pgbouncer(
    pooled_url: str, backend: Path, environment: Environment
) -> None:
    variables = {"DATABASE_URL": f"{pooled_url}?{SETTING}"}
    for command in (("upgrade", "head"), ("check",), ("downgrade", "base"), ("upgrade", "head")):
        environment.check(backend, "alembic", *command, **variables)


@pytest.mark.parametrize(("query", "works"), [(f"?{SETTING}", True), ("", False)])
def test_setting_is_required(
    pooled_url: str,
    backend: Path,
    environment: Environment,
    query: str,
    works: bool,
) -> None:
    printed = environment.check(backend, "python", "-c", STATEMENTS, f"{pooled_url}{query}")
    assert printed.startswith("0 of 10 ") is works, printed
