"""A project behind a real PgBouncer in transaction mode: migrations and the app, by one setting."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.environment import Environment
from tests.support.postgres import Postgres
from tests.support.preset_server import SECRET, Api, Caller, serve
from tests.support.rendering import render
from tests.support.servers import pgbouncer

pytestmark = pytest.mark.long

SETTING = "pgbouncer=true"
ANSWERS: dict[str, Any] = {"auth": "local", "error_format": "problem", "api_prefix": "/api"}
PEOPLE = 8
ROUNDS = 4

# Both engines of the app, several connections each, on two connections to the server.
STATEMENTS = """
import asyncio, sys
from sqlalchemy import text
from app.db.database import Database

async def read(database, number):
    for _ in range(5):
        async with database.autocommit() as connection:
            found = await connection.execute(text("SELECT CAST(:n AS integer)"), {"n": number})
            assert found.scalar_one() == number
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
def through(postgres: Postgres) -> Iterator[str]:
    """An empty database, by way of PgBouncer."""
    with postgres.database() as url, pgbouncer(url) as through:
        yield through


@pytest.fixture(scope="module")
def backend(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of the default answers."""
    return render(template, tmp_path_factory.mktemp("backend") / "one", {})


def work(caller: Caller, tasks: str) -> None:
    """Do everything that a user can do with tasks, and find it done."""
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


def live(api: Api) -> None:
    """Register, log in, work, refresh, change the password, and leave."""
    caller = api.register()
    work(caller, "/api/tasks")
    who = {"email": caller.user["email"], "password": "correct horse"}
    tokens = api.anonymous().post(200, "/api/auth/login", who)
    again = {"refresh_token": tokens["refresh_token"]}
    fresh = api.anonymous().post(200, "/api/auth/refresh", again)
    api.anonymous().post(401, "/api/auth/refresh", again)
    caller = Caller(api, api.anonymous().post(200, "/api/auth/login", who)["access_token"], {})
    assert fresh["refresh_token"] != tokens["refresh_token"]
    changed = {"current_password": "correct horse", "new_password": "battery staple"}
    caller.post(204, "/api/auth/password", changed)
    caller.delete(204, "/api/auth/me")


def test_app_and_migrations_work_through_pgbouncer(
    through: str, backend: Path, environment: Environment, tmp_path: Path
) -> None:
    url = f"{through}?{SETTING}"
    limits = {"JWT_SECRET_KEY": SECRET, "RATE_LIMIT_REGISTER": "1000/minute"}
    other = tmp_path / "two"
    other.symlink_to(backend)
    with (
        serve(environment, backend, ANSWERS, url, **limits) as one,
        serve(environment, other, ANSWERS, url, **limits) as two,
        ThreadPoolExecutor(PEOPLE) as pool,
    ):
        assert one.anonymous().get(200, "/ready")
        list(pool.map(live, [one, two] * (PEOPLE // 2)))


def test_revisions_go_down_and_are_compared_through_pgbouncer(
    through: str, backend: Path, environment: Environment
) -> None:
    variables = {"DATABASE_URL": f"{through}?{SETTING}"}
    for command in (("upgrade", "head"), ("check",), ("downgrade", "base"), ("upgrade", "head")):
        environment.check(backend, "alembic", *command, **variables)


@pytest.mark.parametrize(("query", "works"), [(f"?{SETTING}", True), ("", False)])
def test_the_setting_makes_the_difference(
    through: str,
    backend: Path,
    environment: Environment,
    query: str,
    works: bool,
) -> None:
    said = environment.check(backend, "python", "-c", STATEMENTS, f"{through}{query}")
    assert said.startswith("0 of 10 ") is works, said
