"""A template with released versions, projects made from them, and `copier update` of these."""

import re
from pathlib import Path
from typing import Any

import copier

from tests.support.commands import commit, git
from tests.support.rendering import cheap, copy_template
from tools.release import released, stored

# The version of the working tree.
NEWEST = "1000.0.0"
MARKERS = ("<<<<<<< before updating", ">>>>>>> after updating")
ANSWERS = ".copier-answers.yml"


def publish(template: Path, version: str) -> None:
    """Commit and tag a template."""
    commit(template, f"Release {version}")
    git(template, "tag", version)


def unpack(version: str, template: Path) -> None:
    """Replace the contents of a template by a released version."""
    if (template / ".git").exists():
        git(template, "rm", "-r", "--quiet", ".")
    for name, content in stored(version).items():
        path = template / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def history(template: Path) -> Path:
    """A repository with every release, and the working tree as the newest."""
    for version in released():
        unpack(version, template)
        publish(template, version)
    git(template, "rm", "-r", "--quiet", ".")
    copy_template(template)
    publish(template, NEWEST)
    return template


def start(template: Path, project: Path, answers: dict[str, Any], version: str) -> Path:
    """A project that was rendered from a version and committed."""
    with cheap():
        copier.run_copy(
            str(template), project, data=answers, vcs_ref=version, defaults=True, quiet=True
        )
    commit(project, "Start")
    return project


def update(project: Path, answers: dict[str, Any] | None = None, **options: Any) -> None:  # noqa: ANN401
    """Do what `copier update --defaults` does, with a data file if there are answers."""
    with cheap():
        copier.run_update(
            project,
            data=answers or {},
            **{"defaults": True, "quiet": True, "overwrite": True} | options,
        )


def conflicts(project: Path) -> dict[str, int]:
    """The files with conflict markers, and the number of conflicts in each."""
    found: dict[str, int] = {}
    for path in sorted(project.rglob("*")):
        if path.is_file() and ".git" not in path.relative_to(project).parts:
            text = path.read_text(encoding="utf-8", errors="replace")
            count = len(re.findall(f"^{MARKERS[0]}$", text, re.MULTILINE))
            if count:
                found[str(path.relative_to(project))] = count
    return found


def rejected(project: Path) -> list[Path]:
    """The files that a failed merge leaves behind."""
    return sorted([*project.rglob("*.rej"), *project.rglob("*.orig")])
