"""The changelog names every file that a release moves or removes.

`copier update` deletes a file that the new version does not render, and renders a moved file at its
new path: the owner's edits are lost without a message.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.support.rendering import ROOT, render, rendered_files
from tools.release import released, stored

RELATED = [
    {"name": "project", "fields": {"name": "str"}},
    {"name": "label", "fields": {"name": "str"}, "user_scoped": False},
]
# Together, these answers render every file of the template. The last release must accept them, so
# they cannot use newer options.
ANSWERS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "external": {
        "auth": "external",
        "id_type": "int",
        "route_scope": "path",
        "pagination": "cursor",
        "update_method": "both",
        "error_format": "envelope",
        "foreign_access": "forbidden",
        "soft_delete": True,
        "timestamps": False,
        "fields": {
            "title": "str",
            "completed": "bool",
            "email": "email",
            "homepage": "url",
            "count": "int",
            "ratio": "float",
            "price": "decimal",
            "day": {"type": "date", "future": True},
            "at": "datetime",
            "key": "uuid",
            "level": {"type": "enum", "choices": ["low", "high"]},
            "labels": "list",
            "extra": "json",
            "project": {"type": "reference", "to": "project"},
            "parent": {"type": "reference", "to": "task", "required": False},
            "label": {"type": "references", "to": "label"},
        },
        "more_resources": RELATED,
    },
    "lists": {
        "pagination": "list",
        "auth": "external",
        "fields": {
            "title": "str",
            "project": {"type": "reference", "to": "project"},
            "label": {"type": "references", "to": "label"},
        },
        "more_resources": RELATED,
    },
    "own users in the path": {"route_scope": "path", "update_method": "put"},
}


def files(template: Path, project: Path, answers: dict[str, Any]) -> set[str]:
    """Render a project, and return the paths of its files."""
    render(template, project, answers)
    return {str(path.relative_to(project)) for path in rendered_files(project)}


def undocumented(removed: set[str], changelog: str, version: str) -> list[str]:
    """Return the removed files that the changelog does not name after a version.

    The name is code, and that of a resource's file is like `app/models/<resource>.py`.
    """
    after, heading, _ = changelog.partition(f"\n## [{version}]")
    assert heading, f"CHANGELOG.md has no section [{version}]"
    resources = ("task", "project", "label")
    return sorted(
        name
        for name in removed
        if not any(
            f"`{each}`" in after
            for each in (name, *(name.replace(one, "<resource>") for one in resources))
        )
    )


@pytest.mark.parametrize("name", ANSWERS)
def test_changelog_names_every_removed_file(name: str, template: Path, tmp_path: Path) -> None:
    version = released()[-1]
    for path, content in stored(version).items():
        (tmp_path / "release" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "release" / path).write_bytes(content)
    before = files(tmp_path / "release", tmp_path / "before", ANSWERS[name])
    after = files(template, tmp_path / "after", ANSWERS[name])
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert undocumented(before - after, changelog, version) == []


def test_only_notes_after_the_release_count() -> None:
    changelog = (
        "# Changelog\n\n## [Unreleased]\n\n- `app/a.py` moved.\n- `app/models/<resource>.py` too.\n"
        "\n## [1.0.0] - 2030-01-01\n\n- `app/b.py` moved.\n"
    )
    removed = {"app/a.py", "app/b.py", "app/c.py", "app/models/task.py"}
    assert undocumented(removed, changelog, "1.0.0") == ["app/b.py", "app/c.py"]
