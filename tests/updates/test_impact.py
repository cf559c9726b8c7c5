"""`make impact` tells what changed answers do, before they are committed."""

from pathlib import Path
from typing import Any

import pytest

from tests.migrations.changes import ALL
from tests.support.environment import Environment
from tests.support.updating import NEWEST, start, update

FIELDS = {
    "title": {"type": "str", "max_length": 200},
    "completed": {"type": "bool", "default": False},
    "level": {"type": "enum", "choices": ["low", "high"]},
    "note": {"type": "str", "required": False},
}
IMPACT = ("python", "-m", "scripts.impact")
NONE = "API: no changes that break clients"


def changed(**fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return answers with changed fields; None removes a field."""
    kept = {name: field for name, field in (FIELDS | fields).items() if field is not None}
    return {"fields": kept}


# Answers, and a place and a text of the output; None if nothing breaks clients.
CHANGES: list[tuple[dict[str, Any], str | None, list[str]]] = [
    (changed(extra={"type": "int", "default": 1}), None, ["TaskRead.extra", "added in responses"]),
    (changed(extra="int"), "TaskCreate.extra", ["added, and required in requests"]),
    (changed(note=None), "TaskRead.note", ["removed in responses", "GET /api/tasks?note"]),
    (
        changed(note={"type": "str", "default": "x"}),
        "TaskCreate.note",
        ["null is no longer accepted"],
    ),
    (changed(title={"type": "str", "required": False}), "TaskRead.title", ["can now be null"]),
    (changed(title={"type": "str", "max_length": 9}), "TaskCreate.title", ["maxLength 200 → 9"]),
    (changed(title={"type": "str", "unique": True}), "POST /api/tasks", ["can now answer 409"]),
    (changed(level={"type": "enum", "choices": ["low"]}), "TaskLevel", ["no longer accepts high"]),
    ({"pagination": "cursor"}, "TaskPage.pagination", ["removed in responses", "/api/tasks?page"]),
    ({"route_scope": "path"}, "GET /api/tasks", ["moved to GET /api/{user_id}/tasks"]),
    ({"foreign_access": "forbidden"}, "GET /api/tasks/{task_id}", ["can now answer 403"]),
    (
        {"error_format": "envelope"},
        "errors",
        ["content application/problem+json → application/json"],
    ),
    (
        {"operations": ["search"]},
        "GET /api/tasks/stats",
        ["removed", "app/db/completion_stats.py"],
    ),
    ({"id_type": "int", "soft_delete": True}, "TaskRead.id", ["type string (uuid) → integer"]),
]

# One that breaks nobody, and one that does.
SLICE = (0, 2)


@pytest.mark.long
@pytest.mark.parametrize("number", range(len(CHANGES)) if ALL else SLICE)
def test_changed_answers(
    number: int, releases: Path, environment: Environment, tmp_path: Path
) -> None:
    answers, place, texts = CHANGES[number]
    project = start(releases, tmp_path / "app", {"fields": FIELDS}, NEWEST)
    update(project, answers)
    done = environment.run(project, *IMPACT)
    assert done.returncode == (0 if place is None else 1), done.stdout
    for text in (place or NONE, *texts):
        assert text in done.stdout, done.stdout


@pytest.mark.long
def test_pending_revision_is_shown_with_its_locks(
    releases: Path, environment: Environment, tmp_path: Path
) -> None:
    project = start(releases, tmp_path / "app", {"fields": FIELDS}, NEWEST)
    update(project, changed(extra={"type": "int", "required": False}))
    assert 'make migration m="what changed"' in environment.run(project, *IMPACT).stdout
    environment.check(project, "python", "-m", "scripts.migrations", "create", MESSAGE="extra")
    output = environment.check(project, *IMPACT)
    assert "Tables: 1 new revision\n" in output
    assert (
        "_extra.py (phase: before)\n    ALTER TABLE tasks ADD COLUMN IF NOT EXISTS extra INTEGER\n"
        in output
    )
    assert "      ACCESS EXCLUSIVE: blocks reads and writes, briefly\n" in output
    assert "make migration" not in output
