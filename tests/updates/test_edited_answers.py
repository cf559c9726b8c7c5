"""Answers that were edited by hand are noticed, and docs/updating.md has the way back."""

from pathlib import Path

import copier
import pytest

from tests.answers import good
from tests.support.commands import commit, git
from tests.support.environment import Environment
from tests.support.rendering import render
from tests.support.updating import ANSWERS, NEWEST, conflicts, start, update

CHECK = ("python", "-m", "scripts.answers")
HOSTILE = {
    "project_name": good.HOSTILE[:80],
    "project_description": f"{'A long sentence 🦊 in several lines. ' * 6}{good.HOSTILE}",
    "fields": {"zebra": {"type": "str", "default": good.HOSTILE}, "alpha": "bool"},
    "more_resources": [{"name": "label", "fields": {"on": "str"}}],
}


def edit(project: Path, before: str, after: str) -> None:
    """Edit the recorded answers."""
    text = (project / ANSWERS).read_text(encoding="utf-8")
    assert before in text
    (project / ANSWERS).write_text(text.replace(before, after), encoding="utf-8")


@pytest.mark.long
@pytest.mark.parametrize("answers", [{}, HOSTILE], ids=["defaults", "hostile"])
def test_rendered_answers_match(
    answers: dict[str, object], template: Path, environment: Environment, tmp_path: Path
) -> None:
    project = render(template, tmp_path / "app", answers)
    assert environment.check(project, *CHECK) == ""
    (project / ANSWERS).unlink()
    assert environment.check(project, *CHECK) == ""


@pytest.mark.long
def test_edited_answer_is_noticed_until_it_is_restored_and_applied(
    releases: Path, environment: Environment, tmp_path: Path
) -> None:
    project = start(releases, tmp_path / "app", {}, NEWEST)
    edit(project, "pagination: page", "pagination: cursor")
    failed = environment.run(project, *CHECK)
    assert failed.returncode == 1
    assert "docs/updating.md" in failed.stdout

    # An update renders nothing, and does not hide the difference.
    commit(project)
    update(project, vcs_ref=copier.VcsRef.CURRENT)
    assert "Cursor" not in (project / "app/schemas/pages.py").read_text(encoding="utf-8")
    assert environment.run(project, *CHECK).returncode == 1

    git(project, "restore", "--source=HEAD~1", ANSWERS)
    commit(project)
    assert environment.check(project, *CHECK) == ""
    update(project, {"pagination": "cursor"}, vcs_ref=copier.VcsRef.CURRENT)
    assert conflicts(project) == {}
    assert "Cursor" in (project / "app/schemas/pages.py").read_text(encoding="utf-8")
    assert environment.check(project, *CHECK) == ""


@pytest.mark.long
def test_edits_that_change_nothing_else_are_noticed(
    template: Path, environment: Environment, tmp_path: Path
) -> None:
    """Copier's own keys may be edited: the documentation says when."""
    project = render(template, tmp_path / "app", {})
    edit(project, f"_src_path: {template}", "_src_path: ../elsewhere")
    assert environment.check(project, *CHECK) == ""
    edit(project, "max_length: 200", "max_length: 201")
    assert environment.run(project, *CHECK).returncode == 1
