"""Drawn changes of answers: each migration keeps the rows, or is rejected before it starts.

An ordinary run draws the same few changes each time; TEST_DRAWN=all, or a number, draws more,
different in each run. A failure is printed as YAML: add it to tests/migrations/changes.py.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.answers.drawing import DRAWN, SEED, sample
from tests.conftest import Render
from tests.migrations.drawn_changes import DrawnChange, drawn_changes
from tests.migrations.rows import assert_rows, copy_revisions, databases, run
from tests.support.environment import Environment
from tests.support.postgres import Postgres

PAIRS = {"": 6, "all": 100}.get(DRAWN) or int(DRAWN)


def comparable(expected: Any, found: Any) -> Any:  # noqa: ANN401
    """Return the expected value, as a string if the databases format numbers differently."""
    if isinstance(expected, float) and isinstance(found, str) and float(found) == expected:
        return found
    return expected


def check(change: DrawnChange, steps: dict[str, Any]) -> None:
    """Check the rows after each step."""
    if change.rejected:
        assert "error" in steps, f"not rejected: {change.rejected}"
        left = [{"title": row["title"]} for row in change.rows["tasks"]]
        assert_rows(steps["left"], {"tasks": left}, "left")
        assert "up" not in steps
        return
    assert "up" in steps, steps
    rows = steps["up"]["tasks"]
    assert len(rows) == len(change.after)
    expected = [
        {name: comparable(value, row[name]) for name, value in wanted.items()}
        for row, wanted in zip(rows, change.after, strict=True)
    ]
    assert_rows(steps["up"], {"tasks": expected}, "up")
    if change.irreversible:
        assert "error" in steps, f"downgrade not rejected: {change.irreversible}"
        return
    assert "error" not in steps, steps["error"]
    back = [{name: row[name] for name in change.kept} for row in change.rows["tasks"]]
    assert_rows(steps["down"], {"tasks": back}, "down")
    assert [row["title"] for row in steps["again"]["tasks"]] == [row["title"] for row in rows]


@pytest.mark.long
@pytest.mark.parametrize("number", range(PAIRS), ids=lambda number: f"drawn-change-{number}")
def test_rows_are_kept_or_the_change_is_rejected(
    number: int,
    *,
    render: Render,
    environment: Environment,
    postgres: Postgres,
    tmp_path: Path,
    tally: Callable[..., None],
) -> None:
    change = sample(drawn_changes(), SEED + number)
    try:
        old, new = render(**change.old), render(**change.new)
        with databases(tmp_path, postgres) as urls:
            run(environment, old, "fill", json.dumps(change.rows), *urls)
            copy_revisions(old, new)
            report = run(environment, new, "migrate", "what changed", *urls)
        if report["creation_error"]:
            assert "there is nothing to write" in report["creation_error"]
            assert not change.rejected
            return
        environment.check(new, "ruff", "check", "--no-cache", "migrations/versions")
        environment.check(new, "ruff", "format", "--check", "--no-cache", "migrations/versions")
        assert report["drift"] is None
        for steps in report["databases"]:
            check(change, steps)
    except BaseException as error:
        parts = {"old": change.old, "new": change.new, "rows": change.rows}
        error.add_note(yaml.safe_dump(parts, allow_unicode=True, sort_keys=False, width=1000))
        raise
    kept = 0 if change.rejected else len(change.rows["tasks"]) * len(report["databases"])
    names = {"rejected as expected": bool(change.rejected), "rows kept": kept}
    tally("drawn changes of answers", pairs=1, **names)
