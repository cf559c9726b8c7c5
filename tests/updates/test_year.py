"""A team's first year: nothing conflicts, and nothing has to be mended by hand."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.migrations.rows import databases
from tests.support.environment import Environment
from tests.support.own_edits import Part, last_in
from tests.support.postgres import Postgres
from tests.support.updating import NEWEST, start
from tests.updates.own_lines import MODEL
from tests.updates.year import Count, Step, Year, expected, live, lost, table
from tests.updates.year_steps import STEPS, answers, starts

NICKNAME = '    nickname: str = Field(default="none", max_length=9)\n'


def year_of(releases: Path, folder: Path, environment: Environment, urls: list[str]) -> Year:
    """Return a year of a new project, with a template of its own."""
    template: Path = shutil.copytree(releases, folder / "todo-backend-template")
    return Year(start(template, folder / "app", {}, NEWEST), template, environment, urls)


@pytest.mark.long
@pytest.mark.skipif(os.environ.get("TEST_YEAR") != "1", reason="TEST_YEAR=1 runs it")
def test_nothing_conflicts_in_a_year(
    releases: Path,
    environment: Environment,
    postgres: Postgres,
    figure: Callable[[str], None],
    tmp_path: Path,
) -> None:
    counts: list[Count] = []
    with databases(tmp_path, postgres) as urls:
        try:
            live(year_of(releases, tmp_path, environment, urls), STEPS, counts)
        finally:
            figure(table(counts))
    assert sum(count.conflicts for count in counts) == 0
    assert sum(count.mended for count in counts) == 0


def mends_a_revision(year: Year) -> None:
    """Write a revision, and edit it."""
    year.add(Part(MODEL, NICKNAME, last_in("Task")))
    [path, *_] = year.revision("nicknames")
    year.write(path, year.text(path).replace("import sqlalchemy", "# Mended.\nimport sqlalchemy"))


@pytest.mark.long
def test_conflicts_and_mended_revisions_are_counted(
    releases: Path, environment: Environment, tmp_path: Path
) -> None:
    """An own column in another place than the documented one, and an edited revision."""
    steps = [
        Step("start", starts),
        Step("own column", mends_a_revision),
        Step("field added", answers(points={"type": "int", "default": 3})),
    ]
    counts: list[Count] = []
    year = year_of(releases, tmp_path, environment, [f"sqlite:///{tmp_path / 'rows.db'}"])
    live(year, steps, counts)
    assert [(count.conflicts, count.mended) for count in counts] == [(0, 0), (0, 1), (1, 0)]
    assert table(counts).splitlines()[-1].split() == ["1", "1", "in", "3", "steps"]


def test_lost_and_changed_rows_are_noticed() -> None:
    before = {"tasks": [{"id": 1, "title": "a", "tags": []}, {"id": 2, "title": "b", "tags": []}]}
    wanted = expected(before, {"tasks": "chores", "tasks.title": "name", "tasks.tags": None})
    kept = [{"id": 1, "name": "a", "new": 7}, {"id": 2, "name": "b", "new": 7}]
    assert lost(wanted, {"chores": kept}) == []
    assert lost(wanted, {"chores": kept[:1]}) == ["chores: {'id': 2, 'name': 'b'}"]
    assert len(lost(wanted, {"tasks": kept})) == 2
    upper = expected(before, {"tasks.title": str.upper})
    assert [row["title"] for row in upper["tasks"]] == ["A", "B"]
