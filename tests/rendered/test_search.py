"""Search ignores case for all of Unicode, in the same way on both databases and in Python."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.environment import Environment
from tests.support.postgres import Postgres, empty_database
from tests.support.rendering import ROOT, render

SEARCHING = ROOT / "tests" / "support" / "searching.py"


@pytest.mark.long
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_every_letter_is_found_in_every_case(  # noqa: PLR0917
    database: str,
    template: Path,
    environment: Environment,
    postgres: Postgres,
    tmp_path: Path,
    figure: Callable[[str], None],
) -> None:
    project = render(template, tmp_path / "project", {"operations": ["search"]})
    with empty_database(database, tmp_path / "search.db", postgres) as url:
        script = ("python", str(SEARCHING), url)
        found = json.loads(environment.check(project, *script, PYTHONPATH=str(project)))
    figure(
        f"searched on {database}: {found['letters']} letters that have a case in Unicode"
        f" {found['unicode']}, {found['pairs']} pairs of a text and a query"
    )
    assert found["letters"] > 2800
    assert found["pairs"] > 10 * found["letters"]
    # PostgreSQL's ICU may have an older version of Unicode than Python.
    assert len(found["unknown"]) < (100 if database == "postgresql" else 1)
    assert found["missed"] == []
    assert found["differ"] == []
