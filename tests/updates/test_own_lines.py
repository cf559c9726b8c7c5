"""Own lines and changed answers: `copier update` merges them without conflicts.

The README of a project names a place for each kind of own lines that no answer touches.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.migrations.changes import ALL
from tests.support import rendering, updating
from tests.support.commands import commit
from tests.support.environment import Environment
from tests.support.merging import Merged, merge
from tests.support.own_edits import edited
from tests.updates.own_lines import AUDIT, KINDS, TEAM

TITLE = {"title": {"type": "str", "max_length": 200}}
DESCRIPTION = {"description": {"type": "text", "required": False, "max_length": 1000}}
COMPLETED = {"completed": {"type": "bool", "default": False}}
PRIORITY = {"priority": {"type": "enum", "choices": ["low", "medium", "high"], "default": "medium"}}
DUE_DATE = {"due_date": {"type": "datetime", "required": False}}
TAGS = {"tags": {"type": "list", "default": []}}
FIELDS = TITLE | DESCRIPTION | COMPLETED | PRIORITY | DUE_DATE | TAGS

PROJECT = {"name": "project", "fields": {"name": {"type": "str", "unique": True}}}
LABEL = {"name": "label", "fields": {"name": "str"}}
ANSWERS: dict[str, Any] = {"fields": FIELDS, "more_resources": [PROJECT, LABEL]}

# The changed answers: of the first field and the last one, where neighbors are most likely.
CHANGES: dict[str, dict[str, Any]] = {
    "first field added": {"fields": {"cost": {"type": "decimal", "max_digits": 9}, **FIELDS}},
    "last field added": {"fields": {**FIELDS, "key": "uuid"}},
    "fields removed": {"fields": DESCRIPTION | COMPLETED | PRIORITY | DUE_DATE},
    "fields renamed": {
        "fields": {
            "subject": {**TITLE["title"], "renamed_from": "title"},
            **DESCRIPTION | COMPLETED | PRIORITY | DUE_DATE,
            "words": {**TAGS["tags"], "renamed_from": "tags"},
        }
    },
    "types changed": {
        "fields": {"title": "text", **DESCRIPTION, **COMPLETED, **PRIORITY, "due_date": "date"}
        | {"tags": {"type": "json", "default": {}}}
    },
    "fields required": {"fields": FIELDS | {"description": "text", "tags": "list"}},
    "fields not required": {"fields": FIELDS | {"title": {"type": "str", "required": False}}},
    "field unique": {"fields": FIELDS | {"title": {"type": "str", "unique": True}}},
    "field indexed": {"fields": FIELDS | {"title": {"type": "str", "index": True}}},
    "default and choices changed": {
        "fields": FIELDS
        | {"priority": {"type": "enum", "choices": ["low", "urgent"], "default": "low"}}
        | {"tags": {"type": "list", "default": ["new"]}}
    },
    "resource added": {
        "more_resources": [PROJECT, LABEL, {"name": "ad", "fields": {"url": "url"}}]
    },
    "resource removed": {"more_resources": [PROJECT]},
    "reference added": {
        "fields": FIELDS | {"project": {"type": "reference", "to": "project", "required": False}}
    },
    "references added": {"fields": FIELDS | {"label": {"type": "references", "to": "label"}}},
    "soft deletion": {"soft_delete": True},
    "no timestamps": {"timestamps": False},
    "pagination and errors": {"pagination": "cursor", "error_format": "envelope"},
    "methods and operations": {"update_method": "both", "operations": ["bulk", "search"]},
    "owner in the path": {"route_scope": "path", "foreign_access": "forbidden"},
    "external users": {"auth": "external"},
}

# Answers under which own code is correct without changes.
CHECKED = ["reference added", "soft deletion", "pagination and errors"]
EVERYTHING = [part for kind in KINDS for part in kind.documented]


def texts(project: Path) -> dict[str, str]:
    """Return the files of a project, by their paths."""
    return {
        str(path.relative_to(project)): path.read_text(encoding="utf-8")
        for path in rendering.rendered_files(project)
    }


def write(project: Path, files: dict[str, str]) -> None:
    """Write files of a project."""
    for path, text in files.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text, encoding="utf-8")


Rendered = Callable[[str], dict[str, str]]


@pytest.fixture(scope="module")
def rendered(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """A function that returns the files for a changed answer, or for none of them."""

    @functools.cache
    def files(change: str) -> dict[str, str]:
        folder = tmp_path_factory.mktemp("own-lines") / "project"
        return texts(rendering.render(template, folder, ANSWERS | CHANGES.get(change, {})))

    return files


def merge_all(
    folder: Path, old: dict[str, str], own: dict[str, str], new: dict[str, str]
) -> dict[str, Merged]:
    """Merge edited files with those of the new answers."""
    return {
        path: merge(folder, old.get(path, ""), text, new.get(path, ""))
        for path, text in own.items()
    }


def conflicting(merged: dict[str, Merged]) -> dict[str, str]:
    """Return the files with conflicts."""
    return {path: each.text for path, each in merged.items() if each.conflicts}


@pytest.mark.parametrize("change", CHANGES)
def test_own_lines_in_their_places_do_not_conflict(
    change: str, rendered: Rendered, tally: Callable[..., None], tmp_path: Path
) -> None:
    old, new = rendered(""), rendered(change)
    assert old != new
    failed, elsewhere = {}, 0
    for kind in KINDS:
        merged = merge_all(tmp_path, old, edited(old, kind.documented), new)
        elsewhere += not conflicting(merge_all(tmp_path, old, edited(old, kind.elsewhere), new))
        # Nothing is lost or misplaced: the result is the new file with the same edit.
        if {path: each.text for path, each in merged.items()} != edited(new, kind.documented):
            failed[kind.name] = merged
    tally(
        "pairs of own edits and changed answers",
        pairs=len(KINDS),
        **{"merge cleanly in the documented places": len(KINDS) - len(failed)},
        elsewhere=elsewhere,
    )
    assert failed == {}


@pytest.mark.parametrize("change", CHANGES)
def test_all_own_lines_together_do_not_conflict(
    change: str, rendered: Rendered, tmp_path: Path
) -> None:
    old, new = rendered(""), rendered(change)
    merged = merge_all(tmp_path, old, edited(old, EVERYTHING), new)
    assert conflicting(merged) == {}
    assert {path: each.text for path, each in merged.items()} == edited(new, EVERYTHING)


@pytest.mark.long
@pytest.mark.parametrize("change", CHECKED if ALL else CHECKED[:1])
def test_project_with_all_own_lines_passes_its_checks(
    change: str, rendered: Rendered, environment: Environment, tmp_path: Path
) -> None:
    new = rendered(change)
    own = edited(rendered(""), EVERYTHING)
    (tmp_path / "merge").mkdir()
    merged = merge_all(tmp_path / "merge", rendered(""), own, new)
    project = tmp_path / "project"
    write(project, new | {path: each.text for path, each in merged.items()})
    environment.check(project, "python", "-m", "compileall", "-q", "app", "tests")
    environment.check(project, "ruff", "check", "--no-cache")
    environment.check(project, "ruff", "format", "--check", "--no-cache")
    environment.check(project, "lint-imports", "--no-cache")
    environment.check(project, "mypy", "--cache-dir", str(tmp_path / "mypy"))


@pytest.mark.parametrize("documented", [True, False], ids=["documented", "elsewhere"])
def test_merges_are_those_of_copier(
    documented: bool, releases: Path, rendered: Rendered, tmp_path: Path
) -> None:
    change = "types changed"
    project = updating.start(releases, tmp_path / "project", ANSWERS, updating.NEWEST)
    column = next(kind for kind in KINDS if kind.name == "column with an import")
    own = edited(rendered(""), EVERYTHING if documented else column.elsewhere)
    write(project, own)
    commit(project)
    updating.update(project, CHANGES[change])
    (tmp_path / "merge").mkdir()
    merged = merge_all(tmp_path / "merge", rendered(""), own, rendered(change))
    for path, each in merged.items():
        assert (project / path).read_text(encoding="utf-8") == each.text, path
    assert updating.conflicts(project) == {
        path: each.conflicts for path, each in merged.items() if each.conflicts
    }
    assert bool(conflicting(merged)) != documented


REGISTERED = """
import app.models
from sqlmodel import SQLModel

print(*SQLModel.metadata.tables)
"""


def test_model_that_nothing_imports_is_found(
    template: Path, environment: Environment, tmp_path: Path
) -> None:
    project = rendering.render(template, tmp_path / "project", {})
    (project / "app/models/audit.py").write_text(AUDIT, encoding="utf-8")
    billing = project / "app/models/billing"
    billing.mkdir()
    (billing / "__init__.py").touch()
    (billing / "team.py").write_text(TEAM, encoding="utf-8")
    tables = environment.check(project, "python", "-c", REGISTERED).split()
    assert sorted(tables) == ["audits", "sessions", "tasks", "teams", "users"]
