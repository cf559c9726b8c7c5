"""A template with released versions, projects rendered from them, and `copier update`."""

import re
from pathlib import Path
from typing import Any

import copier

from tests.support.commands import commit, git
from tests.support.rendering import copy_template, fast_copier
from tools.release import released, stored

# The version that the working tree gets in the tests.
NEWEST = "1000.0.0"
MARKERS = ("<<<<<<< before updating", ">>>>>>> after updating")
ANSWERS = ".copier-answers.yml"


def publish(template: Path, version: str) -> None:
    """Commit and tag a template."""
    commit(template, f"Release {version}")
    git(template, "tag", version)


def unpack(version: str, template: Path) -> None:
    """Replace the files of a template with those of a released version."""
    if (template / ".git").exists():
        git(template, "rm", "-r", "--quiet", ".")
    for name, content in stored(version).items():
        path = template / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def create_releases(template: Path) -> Path:
    """Create a repository with all releases, and the working tree as the newest."""
    for version in released():
        unpack(version, template)
        publish(template, version)
    git(template, "rm", "-r", "--quiet", ".")
    copy_template(template)
    publish(template, NEWEST)
    return template


def start(template: Path, project: Path, answers: dict[str, Any], version: str) -> Path:
    """Render a project from a version, and commit it."""
    with fast_copier():
        copier.run_copy(
            str(template), project, data=answers, vcs_ref=version, defaults=True, quiet=True
        )
    commit(project, "Start")
    return project


def update(project: Path, answers: dict[str, Any] | None = None, **options: Any) -> None:  # noqa: ANN401
    """Update a project as `copier update --defaults` does, with answers as from a data file."""
    with fast_copier():
        copier.run_update(
            project,
            data=answers or {},
            **{"defaults": True, "quiet": True, "overwrite": True} | options,
        )


def conflicts(project: Path) -> dict[str, int]:
    """Return the number of conflicts in each file that has conflict markers."""
    found: dict[str, int] = {}
    for path in sorted(project.rglob("*")):
        if path.is_file() and ".git" not in path.relative_to(project).parts:
            text = path.read_text(encoding="utf-8", errors="replace")
            count = len(re.findall(f"^{MARKERS[0]}$", text, re.MULTILINE))
            if count:
                found[str(path.relative_to(project))] = count
    return found


def rejected(project: Path) -> list[Path]:
    """Return the .rej and .orig files that a failed merge leaves."""
    return sorted([*project.rglob("*.rej"), *project.rglob("*.orig")])
