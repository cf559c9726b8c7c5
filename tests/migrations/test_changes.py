"""Changed answers: `make migration` writes one correct revision, and every row is kept."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Render
from tests.migrations.changes import CHANGES, TRIED, Change
from tests.migrations.rows import assert_rows, databases, run
from tests.support.commands import commit, git
from tests.support.edits import ANYWHERE
from tests.support.environment import Environment
from tests.support.postgres import Postgres
from tests.support.rendering import CACHES, rendered_files
from tests.support.updating import ANSWERS, conflicts, rejected, start, update

# What belongs to a tool, or names the folder of the template.
OURS = {*CACHES, ".git", ".env", ANSWERS}
COMMAND = 'make migration m="what changed"'
VERSIONS = Path("migrations", "versions")


def contents(project: Path) -> dict[str, str]:
    """The files of a project that an update may change."""
    return {
        str(path): (project / path).read_text(encoding="utf-8")
        for path in (found.relative_to(project) for found in rendered_files(project))
        if OURS.isdisjoint(path.parts) and path.parent != VERSIONS
    }


def edited(project: Path) -> Path:
    """A project with edits by its owner."""
    for edit in ANYWHERE:
        edit.apply(project)
    return project


def migrate(
    environment: Environment, change: Change, project: Path, fresh: Path, urls: list[str]
) -> dict[str, Any]:
    """Insert rows into the old tables, update the project, and migrate."""
    run(environment, project, "fill", json.dumps(change.rows), *urls)
    before = git(project, "rev-parse", "HEAD")
    update(project, change.new)
    assert conflicts(project) == {}
    assert rejected(project) == []
    assert contents(project) == contents(edited(fresh)), "not what these answers render"
    assert git(project, "rev-parse", "HEAD") == before
    assert git(project, "status", "--porcelain", str(VERSIONS)) == ""
    return run(environment, project, "migrate", "what changed", *urls)


@pytest.fixture(
    params=[
        pytest.param(tried, marks=pytest.mark.long, id=f"{tried[0]}-{tried[1]}") for tried in TRIED
    ]
)
def change(request: pytest.FixtureRequest) -> Change:
    """Every change of the table."""
    return CHANGES[request.param[0]]


@pytest.fixture
def version(request: pytest.FixtureRequest) -> str:
    """The version that the project was rendered from."""
    return str(request.node.callspec.params["change"][1])


@pytest.fixture
def report(
    change: Change,
    releases: Path,
    version: str,
    *,
    render: Render,
    environment: Environment,
    postgres: Postgres,
    tmp_path: Path,
) -> dict[str, Any]:
    """The rows after each step, and the output of the commands."""
    project = edited(start(releases, tmp_path / "app", change.old, version))
    commit(project, "Edit")
    with databases(tmp_path, postgres) as urls:
        found = migrate(environment, change, project, render(**change.new), urls)
    if not found["complaint"]:
        environment.check(project, "ruff", "check", "migrations/versions")
        environment.check(project, "ruff", "format", "--check", "migrations/versions")
    return found


def test_rows_survive(change: Change, report: dict[str, Any], tally: Callable[..., None]) -> None:
    kept = [len(rows) for steps in report["databases"] for rows in steps.get("up", {}).values()]
    tally("answers that change, up, down and up again", changes=1, **{"rows kept": sum(kept)})
    if change.unchanged or change.complaint:
        assert (change.complaint or "there is nothing to write") in report["complaint"]
        assert report["revision"] == ""
        assert (report["missing"] is None) == change.unchanged
        return
    assert COMMAND in report["missing"]
    assert report["complaint"] is None
    assert sorted(report["losses"]) == sorted(change.loses)
    assert all(f"# {loss}" in report["revision"] for loss in change.loses)
    assert report["drift"] is None, report["revision"]
    for steps in report["databases"]:
        if change.refused:
            assert change.refused in steps["refused"], report["revision"]
            titles = [{"title": row["title"]} for row in change.rows["tasks"]]
            assert_rows(steps["left"], {"tasks": titles}, "left")
            continue
        assert "refused" not in steps, f"{steps.get('refused')}\n{report['revision']}"
        assert_rows(steps["up"], change.after, "up")
        assert_rows(steps["down"], change.back, "down")
        assert_rows(steps["again"], {table: [] for table in change.after}, "again")


HOLDER = """
import asyncio, subprocess, sys, asyncpg

async def main(url):
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.execute("LOCK TABLE tasks")
        waiting = {"capture_output": True, "text": True, "timeout": 60}
        down = ["alembic", "downgrade", "base"]
        done = await asyncio.to_thread(subprocess.run, down, **waiting)
    tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE tablename = 'tasks'")
    await connection.close()
    print(done.returncode, tables, done.stderr)

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.long
def test_a_revision_gives_up_on_a_lock(
    render: Render, environment: Environment, postgres: Postgres
) -> None:
    """Other statements would wait behind it."""
    project = render()
    with postgres.database() as url:
        environment.check(project, "alembic", "upgrade", "head", DATABASE_URL=url)
        printed = environment.check(project, "python", "-c", HOLDER, url, DATABASE_URL=url)
    assert printed.startswith("1 1 ")
    assert "lock timeout" in printed
