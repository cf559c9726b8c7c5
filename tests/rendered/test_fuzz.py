"""The OpenAPI document and the app agree: Schemathesis finds nothing between them.

No server error, no undocumented status, no answer that breaks its schema, no invalid request that
is accepted, no valid one that is refused beyond the reasons in tests/support/fuzz_hooks.py. An
ordinary run takes a slice of this; TEST_FUZZ=all takes every rich set of answers and every preset,
on both databases, with as many examples of each operation as the promise says.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.environment import Environment
from tests.support.fuzzing import Fuzzed, fuzz
from tests.support.postgres import Postgres
from tests.support.preset_server import serve
from tests.support.presets import PRESETS, RICH
from tests.support.rendering import render

ALL = os.environ.get("TEST_FUZZ") == "all"
EXAMPLES = 50 if ALL else 10
ANSWERS: dict[str, dict[str, Any]] = {"defaults": {}} | RICH | PRESETS
RUNS = (
    [(name, database) for name in ANSWERS for database in ("sqlite", "postgresql")]
    if ALL
    else [
        ("defaults", "sqlite"),
        ("all-types", "postgresql"),
        ("graph", "sqlite"),
        ("strictest", "postgresql"),
    ]
)


@pytest.fixture(scope="module")
def finished() -> list[Fuzzed]:
    """What came of the runs until now."""
    return []


@pytest.mark.long
@pytest.mark.parametrize(("name", "database"), RUNS)
def test_nothing_is_found(  # noqa: PLR0917
    name: str,
    database: str,
    template: Path,
    environment: Environment,
    postgres: Postgres,
    tmp_path: Path,
    finished: list[Fuzzed],
) -> None:
    project = render(template, tmp_path / "project", ANSWERS[name])
    answers = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'fuzz.db'}"
        if database == "postgresql":
            url = stack.enter_context(postgres.database())
        api = stack.enter_context(serve(environment, project, answers, url))
        local = answers["auth"] == "local"
        owner, other = (api.register() if local else api.bearer(f"user-{each}") for each in "ab")
        finished.append(fuzz(api, owner, other, tmp_path / "schemathesis", EXAMPLES))


# A project takes its milestones along, and these stay while there are jobs.
FURTHER_DOWN: list[dict[str, Any]] = [
    {
        "name": "milestone",
        "fields": {"project": {"type": "reference", "to": "project", "on_delete": "cascade"}},
    },
    {"name": "job", "fields": {"milestone": {"type": "reference", "to": "milestone"}}},
]


@pytest.mark.long
def test_a_deletion_that_is_stopped_further_down_is_documented(
    template: Path, environment: Environment, tmp_path: Path
) -> None:
    """No example of a fuzzer has come that far: `serve` compares each answer with the document."""
    chosen = {
        "resource_name": "project",
        "fields": {"name": "str"},
        "more_resources": FURTHER_DOWN,
    }
    project = render(template, tmp_path / "project", chosen)
    answers = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    with serve(environment, project, answers, f"sqlite:///{tmp_path / 'app.db'}") as api:
        user = api.register()
        row = user.post(201, "/api/projects", {"name": "one"})
        milestone = user.post(201, "/api/milestones", {"project_id": row["id"]})
        job = user.post(201, "/api/jobs", {"milestone_id": milestone["id"]})
        user.delete(409, f"/api/projects/{row['id']}")
        user.delete(204, f"/api/jobs/{job['id']}")
        user.delete(204, f"/api/projects/{row['id']}")


@pytest.mark.long
def test_much_was_tried(finished: list[Fuzzed], figure: Callable[[str], None]) -> None:
    operations = sum(run.operations for run in finished)
    requests = sum(run.requests for run in finished)
    excused = sum(run.excuses.total() for run in finished)
    figure(
        f"fuzzed: {operations} operations of {len(finished)} apps, {requests} requests,"
        f" {excused} of them refused for what no schema can say"
    )
    assert all(run.requests >= run.operations * EXAMPLES for run in finished)
