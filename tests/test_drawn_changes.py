"""Pairs of answers that nobody wrote, with rows: each change keeps them, or stops before it starts.

An ordinary run takes the same few pairs each time. TEST_DRAWN=all, or a number, takes others and
more of them. What fails is printed as YAML, and belongs into the table of tests/support/changes.py.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.answers.drawing import DRAWN, SEED, sample
from tests.conftest import Render
from tests.support.environment import Environment
from tests.support.evolving import Evolution, evolutions
from tests.support.postgres import Postgres
from tests.support.walking import assert_rows, databases, run

PAIRS = {"": 10, "all": 100}.get(DRAWN) or int(DRAWN)


def as_found(expected: Any, found: Any) -> Any:  # noqa: ANN401
    """The expected value, as a text where the database has its own way to write a number."""
    if isinstance(expected, float) and isinstance(found, str) and float(found) == expected:
        return found
    return expected


def check(evolution: Evolution, steps: dict[str, Any]) -> None:
    """Compare what became of the rows with what had to become of them."""
    if evolution.refused:
        assert "refused" in steps, f"not refused: {evolution.refused}"
        left = [{"title": row["title"]} for row in evolution.rows["tasks"]]
        assert_rows(steps["left"], {"tasks": left}, "left")
        assert "up" not in steps
        return
    assert "up" in steps, steps
    rows = steps["up"]["tasks"]
    assert len(rows) == len(evolution.after)
    expected = [
        {name: as_found(value, row[name]) for name, value in wanted.items()}
        for row, wanted in zip(rows, evolution.after, strict=True)
    ]
    assert_rows(steps["up"], {"tasks": expected}, "up")
    if evolution.stuck:
        assert "refused" in steps, f"not refused on the way back: {evolution.stuck}"
        return
    assert "refused" not in steps, steps["refused"]
    back = [{name: row[name] for name in evolution.kept} for row in evolution.rows["tasks"]]
    assert_rows(steps["down"], {"tasks": back}, "down")
    assert [row["title"] for row in steps["again"]["tasks"]] == [row["title"] for row in rows]


@pytest.mark.long
@pytest.mark.parametrize("number", range(PAIRS), ids=lambda number: f"drawn-change-{number}")
def test_rows_are_kept_or_nothing_happens(
    number: int,
    *,
    render: Render,
    environment: Environment,
    postgres: Postgres,
    tmp_path: Path,
    tally: Callable[..., None],
) -> None:
    evolution = sample(evolutions(), SEED + number)
    try:
        old, new = render(**evolution.old), render(**evolution.new)
        with databases(tmp_path, postgres) as urls:
            run(environment, old, "fill", json.dumps(evolution.rows), *urls)
            versions = Path("migrations", "versions")
            shutil.rmtree(new / versions)
            shutil.copytree(old / versions, new / versions)
            report = run(environment, new, "follow", "what changed", *urls)
        if report["complaint"]:
            assert "there is nothing to write" in report["complaint"]
            assert not evolution.refused
            return
        environment.check(new, "ruff", "check", "--no-cache", "migrations/versions")
        environment.check(new, "ruff", "format", "--check", "--no-cache", "migrations/versions")
        assert report["drift"] is None
        for steps in report["databases"]:
            check(evolution, steps)
    except BaseException as error:
        parts = {"old": evolution.old, "new": evolution.new, "rows": evolution.rows}
        error.add_note(yaml.safe_dump(parts, allow_unicode=True, sort_keys=False, width=1000))
        raise
    kept = 0 if evolution.refused else len(evolution.rows["tasks"]) * len(report["databases"])
    names = {"refused, rightly": bool(evolution.refused), "rows kept": kept}
    tally("drawn changes of answers", pairs=1, **names)
