"""Schemathesis finds no difference between the OpenAPI document and the app.

There are no server errors, undocumented statuses, responses that violate their schema, or invalid
requests that are accepted; valid requests are rejected only for the reasons in
tests/support/fuzz_hooks.py. An ordinary run tests a few apps; TEST_FUZZ=all tests all presets and
all sets in tests/answers/, on both databases, with more examples.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.environment import Environment
from tests.support.fuzzing import Fuzzed, fuzz
from tests.support.postgres import Postgres, empty_database
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
        ("graph", "sqlite"),
        ("strictest", "postgresql"),
    ]
)


@pytest.fixture(scope="module")
def finished() -> list[Fuzzed]:
    """The results of the runs so far."""
    return []


@pytest.mark.long
@pytest.mark.parametrize(("name", "database"), RUNS)
def test_schemathesis_finds_no_failure(  # noqa: PLR0917
    name: str,
    database: str,
    template: Path,
    environment: Environment,
    postgres: Postgres,
    tmp_path: Path,
    finished: list[Fuzzed],
) -> None:
    project = render(template, tmp_path / "project", ANSWERS[name])
    with (
        empty_database(database, tmp_path / "fuzz.db", postgres) as url,
        serve(environment, project, url) as api,
    ):
        local = api.answers["auth"] == "local"
        owner, other = (api.register() if local else api.bearer(f"user-{each}") for each in "ab")
        finished.append(fuzz(api, owner, other, tmp_path / "schemathesis", EXAMPLES))


# Deleting a project cascades to its milestones, and jobs restrict the deletion of milestones.
INDIRECT_RESTRICTION: list[dict[str, Any]] = [
    {
        "name": "milestone",
        "fields": {"project": {"type": "reference", "to": "project", "on_delete": "cascade"}},
    },
    {"name": "job", "fields": {"milestone": {"type": "reference", "to": "milestone"}}},
]


@pytest.mark.long
def test_indirectly_restricted_deletion_is_documented(
    template: Path, environment: Environment, tmp_path: Path
) -> None:
    """Schemathesis does not reach this case. `Api` compares each response with the document."""
    answers = {
        "resource_name": "project",
        "fields": {"name": "str"},
        "more_resources": INDIRECT_RESTRICTION,
    }
    project = render(template, tmp_path / "project", answers)
    with serve(environment, project, f"sqlite:///{tmp_path / 'app.db'}") as api:
        user = api.register()
        row = user.post(201, "/api/projects", {"name": "one"})
        milestone = user.post(201, "/api/milestones", {"project_id": row["id"]})
        job = user.post(201, "/api/jobs", {"milestone_id": milestone["id"]})
        user.delete(409, f"/api/projects/{row['id']}")
        user.delete(204, f"/api/jobs/{job['id']}")
        user.delete(204, f"/api/projects/{row['id']}")


@pytest.mark.long
def test_number_of_requests(finished: list[Fuzzed], figure: Callable[[str], None]) -> None:
    operations = sum(run.operations for run in finished)
    requests = sum(run.requests for run in finished)
    rejected = sum(run.rejections.total() for run in finished)
    figure(
        f"fuzzed: {operations} operations of {len(finished)} apps, {requests} requests,"
        f" {rejected} of them rejected for reasons that no schema can express"
    )
    assert all(run.requests >= run.operations * EXAMPLES for run in finished)
