"""Files of a release stay where they are, or the changelog says that they do not.

`copier update` deletes a file that a project no longer has in the new version, and renders a moved
one at its new place: what its owner changed in it is lost without a message.
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
# Between them, every file of the template is rendered. They have to stay valid for the last
# release, so nothing that is newer belongs here.
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
    """The files of a project, by their paths in it."""
    render(template, project, answers)
    return {str(path.relative_to(project)) for path in rendered_files(project)}


def unnoted(gone: set[str], changelog: str, version: str) -> list[str]:
    """The files whose absence the changelog does not mention after a version.

    It names a file in code style, one of a resource as `app/models/<resource>.py`.
    """
    after, heading, _ = changelog.partition(f"\n## [{version}]")
    assert heading, f"CHANGELOG.md has no section [{version}]"
    resources = ("task", "project", "label")
    return sorted(
        name
        for name in gone
        if not any(
            f"`{written}`" in after
            for written in (name, *(name.replace(one, "<resource>") for one in resources))
        )
    )


@pytest.mark.parametrize("name", ANSWERS)
def test_no_file_of_the_last_release_is_gone_without_a_note(
    name: str, template: Path, tmp_path: Path
) -> None:
    version = released()[-1]
    for path, content in stored(version).items():
        (tmp_path / "release" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "release" / path).write_bytes(content)
    before = files(tmp_path / "release", tmp_path / "before", ANSWERS[name])
    after = files(template, tmp_path / "after", ANSWERS[name])
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert unnoted(before - after, changelog, version) == []


def test_a_note_counts_after_the_release_alone() -> None:
    changelog = (
        "# Changelog\n\n## [Unreleased]\n\n- `app/a.py` moved.\n- `app/models/<resource>.py` too.\n"
        "\n## [1.0.0] - 2030-01-01\n\n- `app/b.py` is there.\n"
    )
    gone = {"app/a.py", "app/b.py", "app/c.py", "app/models/task.py"}
    assert unnoted(gone, changelog, "1.0.0") == ["app/b.py", "app/c.py"]
