"""Changed answers: `make migration` writes one correct revision, which keeps all rows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Render
from tests.migrations.changes import CHANGES, TESTED, Change
from tests.migrations.rows import assert_rows, databases, run
from tests.support.commands import commit, git
from tests.support.edits import ANYWHERE
from tests.support.environment import Environment
from tests.support.postgres import Postgres
from tests.support.rendering import CACHES, rendered_files
from tests.support.updating import ANSWERS, conflicts, rejected, start, update

# Files of tools, and the answers, which name the folder of the template.
IGNORED = {*CACHES, ".git", ".env", ANSWERS}
COMMAND = 'make migration m="what changed"'
VERSIONS = Path("migrations", "versions")


def contents(project: Path) -> dict[str, str]:
    """Return the files of a project that an update may change."""
    return {
        str(path): (project / path).read_text(encoding="utf-8")
        for path in (found.relative_to(project) for found in rendered_files(project))
        if IGNORED.isdisjoint(path.parts) and path.parent != VERSIONS
    }


def with_edits(project: Path) -> Path:
    """Apply edits by the owner to a project, and return its path."""
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
    assert contents(project) == contents(with_edits(fresh)), (
        "the update differs from a new project with edits"
    )
    assert git(project, "rev-parse", "HEAD") == before
    assert git(project, "status", "--porcelain", str(VERSIONS)) == ""
    return run(environment, project, "migrate", "what changed", *urls)


@pytest.fixture(
    params=[
        pytest.param(pair, marks=pytest.mark.long, id=f"{pair[0]}-{pair[1]}") for pair in TESTED
    ]
)
def change(request: pytest.FixtureRequest) -> Change:
    """The changes of the table."""
    return CHANGES[request.param[0]]


@pytest.fixture
def version(request: pytest.FixtureRequest) -> str:
    """The version that the project is rendered from."""
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
    """The report of a migration: the rows after each step, and the output of the commands."""
    project = with_edits(start(releases, tmp_path / "app", change.old, version))
    commit(project, "Edit")
    with databases(tmp_path, postgres) as urls:
        found = migrate(environment, change, project, render(**change.new), urls)
    if not found["creation_error"]:
        environment.check(project, "ruff", "check", "migrations/versions")
        environment.check(project, "ruff", "format", "--check", "migrations/versions")
    return found


def test_rows_are_kept(change: Change, report: dict[str, Any], tally: Callable[..., None]) -> None:
    kept = [len(rows) for steps in report["databases"] for rows in steps.get("up", {}).values()]
    tally(
        "changed answers, upgraded, downgraded and upgraded again",
        changes=1,
        **{"rows kept": sum(kept)},
    )
    if change.unchanged or change.creation_error:
        assert (change.creation_error or "there is nothing to write") in report["creation_error"]
        assert report["revision"] == ""
        assert (report["missing"] is None) == change.unchanged
        return
    assert COMMAND in report["missing"]
    assert report["creation_error"] is None
    assert sorted(report["deletions"]) == sorted(change.loses)
    assert all(f"# {line}" in report["revision"] for line in change.loses)
    assert report["drift"] is None, report["revision"]
    for steps in report["databases"]:
        if change.upgrade_error:
            assert change.upgrade_error in steps["error"], report["revision"]
            titles = [{"title": row["title"]} for row in change.rows["tasks"]]
            assert_rows(steps["left"], {"tasks": titles}, "left")
            continue
        assert "error" not in steps, f"{steps.get('error')}\n{report['revision']}"
        assert_rows(steps["up"], change.after, "up")
        assert_rows(steps["down"], change.back, "down")
        assert_rows(steps["again"], {table: [] for table in change.after}, "again")


DOWNGRADE_DURING_A_LOCK = """
import asyncio, subprocess, sys, asyncpg

async def main(url, seconds):
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("LOCK TABLE tasks")
    waiting = {"capture_output": True, "text": True, "timeout": 60}
    down = asyncio.to_thread(subprocess.run, ["alembic", "downgrade", "base"], **waiting)
    migration = asyncio.create_task(down)
    await asyncio.wait([migration], timeout=float(seconds))
    await transaction.rollback()
    done = await migration
    tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE tablename = 'tasks'")
    await connection.close()
    print(done.returncode, tables, done.stderr)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.long
@pytest.mark.parametrize(("seconds", "printed"), [(60, "1 1 "), (3, "0 0 ")])
def test_migration_stops_or_tries_again_if_a_table_is_locked(
    seconds: int, printed: str, render: Render, environment: Environment, postgres: Postgres
) -> None:
    project = render()
    with postgres.database() as url:
        environment.check(project, "alembic", "upgrade", "head", DATABASE_URL=url)
        script = ("python", "-c", DOWNGRADE_DURING_A_LOCK, url, str(seconds))
        found = environment.check(project, *script, DATABASE_URL=url)
    assert found.startswith(printed), found
    assert ("lock timeout" in found) == (printed == "1 1 ")
