"""Answers that change: `make migration` writes one right revision, and every row is still there."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Render
from tests.support.changes import CHANGES, TRIED, Change, Rows
from tests.support.environment import Environment
from tests.support.postgres import Postgres

DRIVER = Path(__file__).parent / "support" / "migrating.py"


def run(environment: Environment, project: Path, *arguments: str) -> dict[str, Any]:
    """Run the driver in a project, and return what it found."""
    printed = environment.check(project, "python", str(DRIVER), *arguments)
    found: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
    return found


def assert_rows(found: dict[str, Rows], expected: dict[str, Rows], step: str) -> None:
    """Compare what was expected of each row with what is there."""
    for table, rows in expected.items():
        assert table in found, f"{step}: no table {table}"
        if not rows:
            continue
        assert len(found[table]) == len(rows), f"{step}: {found[table]}"
        for row, wanted in zip(found[table], rows, strict=True):
            seen = {name: row[name] for name in wanted}
            assert seen == wanted, f"{step}: {row}"


@contextmanager
def databases(tmp_path: Path, postgres: Postgres) -> Iterator[list[str]]:
    """Give an empty database of each kind that is there."""
    file = f"sqlite:///{tmp_path / 'rows.db'}"
    if postgres.answer.returncode:
        yield [file]
        return
    with postgres.database() as url:
        yield [file, url]


def follow(
    environment: Environment, change: Change, old: Path, new: Path, urls: list[str]
) -> dict[str, Any]:
    """Put the rows into the old tables, and take them to the new ones."""
    for url in urls:
        run(environment, old, "fill", url, json.dumps(change.rows))
    shutil.rmtree(new / "migrations" / "versions")
    shutil.copytree(old / "migrations" / "versions", new / "migrations" / "versions")
    return run(environment, new, "follow", "what changed", *urls)


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.long) for name in TRIED])
def change(request: pytest.FixtureRequest) -> Change:
    """Every change of the table."""
    return CHANGES[str(request.param)]


@pytest.fixture
def report(
    change: Change, render: Render, environment: Environment, postgres: Postgres, tmp_path: Path
) -> dict[str, Any]:
    """What became of the rows, and what was said."""
    old, new = render(**change.old), render(**change.new)
    with databases(tmp_path, postgres) as urls:
        found = follow(environment, change, old, new, urls)
    if not found["complaint"]:
        environment.check(new, "ruff", "check", "migrations/versions")
        environment.check(new, "ruff", "format", "--check", "migrations/versions")
    return found


def test_rows_survive(
    change: Change, report: dict[str, Any], figure: Callable[[str], None]
) -> None:
    if change.quiet or change.complaint:
        assert (change.complaint or "there is nothing to write") in report["complaint"]
        assert report["revision"] == ""
        return
    assert report["complaint"] is None
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
    figure(f"answers that change: {len(TRIED)} of {len(CHANGES)} tried, up, down and up again")
