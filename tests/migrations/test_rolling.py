"""Both versions serve during a rolling deployment under load, and no request fails."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Render
from tests.migrations.changes import ALL, CHANGES, Change
from tests.migrations.rows import copy_revisions, run
from tests.support.environment import Environment
from tests.support.postgres import Postgres

ROLLING = Path(__file__).with_name("rolling.py")
# Each way in which a change is split into phases.
SLICE = (
    "field-removed",
    "nullable-to-required-with-default",
    "required-to-nullable",
)
# These need a stop, which the command says.
STOPPING = {"renamed", "-to-"}
NULLABILITY = {"required-to-nullable", "nullable-to-required", "str-to-text"}


def serves(name: str, change: Change) -> bool:
    """Return whether both versions can serve during a change."""
    if change.unchanged or change.creation_error or change.upgrade_error:
        return False
    if name.startswith(tuple(NULLABILITY)):
        return True
    return not name.startswith("decimal") and not any(part in name for part in STOPPING)


KINDS = [name for name, change in CHANGES.items() if serves(name, change)]


def test_slice_is_part_of_the_kinds() -> None:
    assert set(SLICE) <= set(KINDS)


@pytest.mark.long
@pytest.mark.parametrize("name", KINDS if ALL else SLICE)
def test_no_request_fails(
    name: str,
    *,
    render: Render,
    environment: Environment,
    postgres: Postgres,
    tally: Callable[..., None],
) -> None:
    change = CHANGES[name]
    old, new = render(**change.old), render(**change.new)
    with postgres.database() as url:
        run(environment, old, "fill", json.dumps(change.rows), url)
        copy_revisions(old, new)
        environment.check(new, "python", "-m", "scripts.migrations", "create", MESSAGE=name)
        printed = environment.check(
            new, "python", str(ROLLING), str(old), str(new), DATABASE_URL=url
        )
        environment.check(new, "alembic", "check", DATABASE_URL=url)
    report = json.loads(printed.strip().splitlines()[-1])
    assert report["failed"] == []
    created = [sent.get("POST 201", 0) for sent in report["sent"]]
    assert len(created) == 2
    assert all(created), report["sent"]
    answered = sum(sum(sent.values()) for sent in report["sent"])
    tally("rolling deployments under load", kinds=1, requests=answered, failed=0)


@pytest.mark.long
def test_stop_is_announced(render: Render, environment: Environment, tmp_path: Path) -> None:
    change = CHANGES["field-renamed"]
    old, new = render(**change.old), render(**change.new)
    copy_revisions(old, new)
    url = f"sqlite:///{tmp_path / 'stop.db'}"
    environment.check(old, "python", "-m", "migrations", DATABASE_URL=url)
    created = environment.check(new, "python", "-m", "scripts.migrations", "create", MESSAGE="stop")
    assert "needs a stop of the service. docs/migrations.md describes" in created
    [revision] = (new / "migrations" / "versions").glob("*_stop.py")
    assert "# Stop the service for this revision" in revision.read_text(encoding="utf-8")
    printed = environment.check(new, "python", "-m", "migrations", "before", DATABASE_URL=url)
    assert printed.startswith("Not applied")
    assert "Stop the service for the first of them" in printed
    assert "Applied:" in environment.check(new, "python", "-m", "migrations", DATABASE_URL=url)
    environment.check(new, "alembic", "check", DATABASE_URL=url)
    usage = environment.run(new, "python", "-m", "migrations", "after", DATABASE_URL=url)
    assert usage.returncode == 1
    assert "make migrate [PHASE=before]" in usage.stdout
