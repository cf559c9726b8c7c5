"""What clients of the default project are answered while something that it needs fails."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.faults import counters
from bench.faults.runs import FAULTS, run
from tests.conftest import Render
from tests.support.environment import Environment


def seen_in(page: Path) -> list[list[str]]:
    """Return the cells of the table of a page."""
    rows = re.findall(r"^\| (.+) \|$", page.read_text(encoding="utf-8"), re.MULTILINE)
    cells = [row.split(" | ") for row in rows]
    return [row for row in cells if len(row) == 6 and row[0] not in {"situation", "---"}]


def test_pages_say_what_was_seen(render: Render) -> None:
    project = render()
    found = seen_in(project / "docs/outages.md")
    of_redis = seen_in(project / "docs/authentication.md")
    advice = "`make bench BENCHES=faults` writes the tables"
    assert [row[0] for row in of_redis] == list(counters.FAULTS), advice
    assert [row[0] for row in found + of_redis] == list(FAULTS), advice
    assert {row[4] for row in found + of_redis} <= {"0", ""}


@pytest.mark.long
@pytest.mark.skipif(os.environ.get("TEST_FAULTS") != "1", reason="TEST_FAULTS=1 runs it")
def test_faults_only_make_the_service_unavailable_for_a_while(
    render: Render, environment: Environment, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    problems = {}
    for name, seen in run(environment, render(), tmp_path):
        if isinstance(seen, str):
            figure(f"fault not caused: {name}: {seen}")
            continue
        figure(f"fault: {name}: {', '.join(filter(None, seen.row()))}")
        if found := seen.problems():
            problems[name] = found
    assert problems == {}
