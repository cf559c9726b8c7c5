"""`copier update` applies fixes of the template, and keeps edits of projects."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import copier
import pytest
import yaml
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from tests.support.commands import COPIER, command, commit, git
from tests.support.edits import DEFAULTS, DELETED, DEPENDENCY, SECTION, Edit
from tests.support.environment import Environment
from tests.support.rendering import fast_copier, questions
from tests.support.updating import (
    ANSWERS,
    MARKERS,
    NEWEST,
    conflicts,
    publish,
    rejected,
    start,
    update,
)
from tools.release import released

# Changes of a later version of the template: on other lines of files that the owner edited, and in
# files that the owner deleted or that an update does not change.
ELSEWHERE = (
    Edit("template/app/settings.py", '"""Settings from', '"""All settings from'),
    Edit("template/README.md.jinja", "starts PostgreSQL, migrates it", "runs PostgreSQL, migrates"),
    Edit("template/pyproject.toml.jinja", 'on = ">=3.11"', 'on = ">=3.11,<4"'),
    Edit("template/app/routers/*.jinja", '"""HTTP routes of', '"""The HTTP routes of'),
    Edit("template/app/services/*yield*.jinja", "Every function takes", "All functions take"),
    Edit("template/app/schemas/*yield*.jinja", "# The OpenAPI documentation", "# Documentation"),
    Edit("template/compose.yaml", "services:", "# Changed.\nservices:"),
    Edit("template/*/docs/authentication.md", "# Authentication", "# Identity"),
    Edit("template/migrations/versions/0001_initial.py.jinja", '"""The first', '"""Changed: a'),
)
SETTINGS, PYPROJECT = ELSEWHERE[0], ELSEWHERE[2]
# Without the changed requirement, which would make the project's lock file outdated.
FIXES = tuple(edit for edit in ELSEWHERE if edit is not PYPROJECT)
LATER = "1000.1.0"
# The rendered files of sources whose names are computed, and the files that must not change.
RENDERED = {
    "template/app/routers/*.jinja": "app/routers/task.py",
    "template/app/services/*yield*.jinja": "app/services/task.py",
    "template/app/schemas/*yield*.jinja": "app/schemas/task.py",
    "template/*/docs/authentication.md": "docs/authentication.md",
}
UNCHANGED = (*DELETED, "migrations/versions/0001_initial.py")


def release(template: Path, version: str, *edits: Edit) -> None:
    """Release the template with edits."""
    for edit in edits:
        folder, _, name = edit.path.rpartition("/")
        found = [
            path
            for path in template.glob(f"{folder}/{name}")
            if edit.before in path.read_text(encoding="utf-8")
        ]
        assert found, edit
        for path in found:
            Edit(str(path.relative_to(template)), edit.before, edit.after).apply(template)
    publish(template, version)


@pytest.fixture
def copied_releases(releases: Path, tmp_path: Path) -> Path:
    """A copy of the releases, for tests that add a release."""
    copied: Path = shutil.copytree(releases, tmp_path / "todo-backend-template")
    return copied


def edit_answers(project: Path, before: str, after: str) -> None:
    """Replace a string in the recorded answers, and commit."""
    recorded = project / ANSWERS
    text = recorded.read_text(encoding="utf-8").replace(before, after)
    recorded.write_text(text, encoding="utf-8")
    commit(project)


def edit_project(project: Path, *edits: Edit) -> Path:
    """Edit, add and delete files of a project, lock its requirements, and commit."""
    for edit in edits:
        edit.apply(project)
    for name in DELETED:
        (project / name).unlink()
    command(project, "uv", "lock", "--quiet")
    commit(project, "Work")
    return project


def assert_kept(project: Path, edits: tuple[Edit, ...]) -> None:
    """Check that the owner's edits are kept, and that deleted files stay deleted."""
    assert conflicts(project) == {}
    assert rejected(project) == []
    assert [edit for edit in edits if not edit.is_there(project)] == []
    assert [name for name in DELETED if (project / name).exists()] == []
    changed = git(project, "diff", "--name-only", "HEAD").splitlines()
    assert not [name for name in changed if name.startswith("migrations/versions/")]
    assert "uv.lock" not in changed


def assert_applied(project: Path, edits: tuple[Edit, ...]) -> None:
    """Check that a project has the edits of a release, except in files that must not change."""
    for edit in edits:
        path = edit.path.removeprefix("template/").removesuffix(".jinja")
        name = RENDERED.get(edit.path, path)
        if name not in UNCHANGED:
            assert edit.after in (project / name).read_text(encoding="utf-8"), name


def assert_checks_pass(project: Path, environment: Environment) -> None:
    """Write the revision that a release can need, and run the checks and tests of a project."""
    environment.check(project, "python", "-m", "scripts.migrations", "create", MESSAGE="update")
    environment.check(project, "ruff", "format", "--check", "--no-cache")
    environment.check(project, "ruff", "check", "--no-cache")
    environment.check(project, "mypy", "--cache-dir", str(project.parent / "mypy"))
    environment.check(project, "python", "-m", "scripts.migrations", "check")
    environment.check(project, "pytest", "-p", "no:cacheprovider", "--quiet")


@pytest.mark.long
@pytest.mark.parametrize("version", released())
def test_update_applies_fixes_and_keeps_edits(
    version: str, copied_releases: Path, environment: Environment, tmp_path: Path
) -> None:
    """Update from each release to the working tree with further changes."""
    project = edit_project(start(copied_releases, tmp_path / "app", {}, version), *DEFAULTS)
    release(copied_releases, LATER, *FIXES)
    history = git(project, "log", "--format=%H")
    update(project)
    assert f"_commit: {LATER}" in (project / ANSWERS).read_text(encoding="utf-8")
    assert_kept(project, DEFAULTS)
    assert_applied(project, FIXES)
    assert git(project, "log", "--format=%H") == history
    assert git(project, "stash", "list") == ""
    # As every command of the Makefile does, if a release has other requirements.
    command(project, "uv", "lock", "--quiet")
    assert_checks_pass(project, environment)


@pytest.mark.parametrize("version", released())
def test_project_in_a_subfolder_of_a_repository_is_updated(
    version: str, releases: Path, tmp_path: Path
) -> None:
    repository = tmp_path / "monorepo"
    page = repository / "frontend" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>Hello", encoding="utf-8")
    commit(repository)
    project = edit_project(start(releases, repository / "backend", {}, version), *DEFAULTS)
    history = git(repository, "log", "--format=%H")
    update(project, {"soft_delete": True})
    assert_kept(project, DEFAULTS)
    assert (project / "app" / "models" / "soft_deleted.py").exists()
    changed = git(repository, "status", "--porcelain").splitlines()
    assert [line for line in changed if not line[3:].startswith("backend/")] == []
    assert git(repository, "log", "--format=%H") == history


def test_changes_of_other_lines_do_not_conflict(copied_releases: Path, tmp_path: Path) -> None:
    project = edit_project(start(copied_releases, tmp_path / "app", {}, NEWEST), *DEFAULTS)
    release(copied_releases, LATER, *ELSEWHERE)
    update(project)
    assert_kept(project, DEFAULTS)
    assert_applied(project, ELSEWHERE)
    revision = (project / UNCHANGED[-1]).read_text(encoding="utf-8")
    assert ELSEWHERE[-1].after not in revision


def test_conflict_has_inline_markers_and_no_rejected_files(
    copied_releases: Path, tmp_path: Path
) -> None:
    """Template and owner changed the same line; other changes are applied."""
    theirs = Edit(
        "template/app/settings.py", 'log_level: Literal["DEBUG",', 'log_level: Literal["ALL",'
    )
    ours = Edit("app/settings.py", 'log_level: Literal["DEBUG",', 'log_level: Literal["TRACE",')
    project = edit_project(
        start(copied_releases, tmp_path / "app", {}, NEWEST), DEPENDENCY, SECTION, ours
    )
    release(copied_releases, LATER, theirs, SETTINGS, PYPROJECT)
    update(project)
    assert conflicts(project) == {"app/settings.py": 1}
    assert rejected(project) == []
    before, after = (
        re.findall(pattern, (project / "app/settings.py").read_text("utf-8"), re.DOTALL)
        for pattern in (f"{MARKERS[0]}\n(.*?)\n=======", f"\n=======\n(.*?){MARKERS[1]}")
    )
    assert ["TRACE" in text for text in before] == [True]
    assert ["ALL" in text for text in after] == [True]
    assert git(project, "diff", "--name-only", "--diff-filter=U").split() == ["app/settings.py"]
    assert PYPROJECT.after in (project / "pyproject.toml").read_text(encoding="utf-8")
    assert DEPENDENCY.is_there(project)
    assert SECTION.is_there(project)


def test_recording_the_commit_repairs_a_moved_tag(copied_releases: Path, tmp_path: Path) -> None:
    """Copier treats the changes that a moved tag added as reverted by the owner."""
    project = start(copied_releases, tmp_path / "app", {}, NEWEST)
    rendered_from = git(copied_releases, "rev-parse", NEWEST).strip()
    SETTINGS.apply(copied_releases)
    commit(copied_releases)
    git(copied_releases, "tag", "--force", NEWEST)
    release(copied_releases, LATER, PYPROJECT)
    update(project)
    assert SETTINGS.after not in (project / "app/settings.py").read_text(encoding="utf-8")
    git(project, "reset", "--quiet", "--hard")
    edit_answers(project, NEWEST, rendered_from)
    update(project)
    assert SETTINGS.after in (project / "app/settings.py").read_text(encoding="utf-8")
    assert PYPROJECT.after in (project / "pyproject.toml").read_text(encoding="utf-8")


def test_interactive_update_offers_the_recorded_answers(releases: Path, tmp_path: Path) -> None:
    """Enter accepts each recorded answer; one answer is changed."""
    answers = {"resource_name": "chore", "fields": {"b": "str", "a": "int"}, "id_type": "int"}
    project = start(releases, tmp_path / "app", answers, NEWEST)
    keys = [
        "\x1b[B\r" if name == "pagination" else "\x1b\r" if question.get("multiline") else "\r"
        for name, question in questions().items()
    ]
    with create_pipe_input() as keyboard, fast_copier():
        keyboard.send_text("".join(keys))
        with create_app_session(input=keyboard, output=DummyOutput()):
            copier.run_update(project, overwrite=True, quiet=True)
    expected = start(releases, tmp_path / "new", answers | {"pagination": "cursor"}, NEWEST)
    assert git(project, "diff", "--name-only").splitlines()
    for path in expected.rglob("*"):
        relative = path.relative_to(expected)
        if path.is_file() and ".git" not in relative.parts and relative.name != ".env":
            assert (project / relative).read_bytes() == path.read_bytes(), relative


def test_branches_that_changed_answers_are_merged(releases: Path, tmp_path: Path) -> None:
    """The steps of docs/updating.md: one branch changes all resources, the other adds one."""
    removal = {"soft_delete": True, "pagination": "cursor"}
    addition = {"more_resources": [{"name": "label", "fields": {"name": "str"}}]}
    project = start(releases, tmp_path / "app", {}, NEWEST)
    git(project, "switch", "--quiet", "--create", "other")
    update(project, addition)
    commit(project)
    git(project, "switch", "--quiet", "main")
    update(project, removal)
    commit(project)
    update(project, addition, vcs_ref=copier.VcsRef.CURRENT)
    assert conflicts(project) == {}
    commit(project)
    git(project, "merge", "--no-edit", "--strategy-option=ours", "other")
    expected = start(releases, tmp_path / "new", removal | addition, NEWEST)
    for path in (*expected.glob("app/**/*.py"), expected / ANSWERS):
        relative = path.relative_to(expected)
        assert (project / relative).read_text("utf-8") == path.read_text("utf-8"), relative


def test_update_with_a_data_file(releases: Path, tmp_path: Path) -> None:
    project = start(releases, tmp_path / "app", {}, NEWEST)
    fields = {"title": "str", "completed": "bool", "effort": {"type": "int", "default": 1}}
    answers = {"fields": fields}
    (tmp_path / "answers.yml").write_text(yaml.safe_dump(answers), encoding="utf-8")
    done = command(
        project, *COPIER, "update", "--defaults", "--data-file", str(tmp_path / "answers.yml")
    )
    commands = ("make check", "make migration", "make migrate")
    for word in ("are deleted, with your edits", "renamed_from", *commands):
        assert word in done.stderr, done
    assert "effort" in (project / "app/models/task.py").read_text(encoding="utf-8")
    recorded = yaml.safe_load((project / ANSWERS).read_text(encoding="utf-8"))
    assert recorded["fields"] == fields


@pytest.mark.long
def test_check_and_test_name_the_command_for_a_missing_revision(
    releases: Path, environment: Environment, tmp_path: Path
) -> None:
    project = start(releases, tmp_path / "app", {}, NEWEST)
    update(project, {"timestamps": False})
    command_line = 'make migration m="what changed"'
    checked = environment.run(project, "python", "-m", "scripts.migrations", "check")
    tested = environment.run(
        project, "pytest", "-p", "no:cacheprovider", "tests/migrations/test_migrations.py"
    )
    for done in (checked, tested):
        assert done.returncode == 1
        assert command_line in done.stdout, done.stdout


def record_invalid_answer(_template: Path, project: Path) -> None:
    """Record an answer that no version accepts."""
    edit_answers(project, "pagination: page", "pagination: pages")


def reserve_name(template: Path, _project: Path) -> None:
    """Release a version that rejects the project's answer."""
    reserved = template / "hooks" / "check" / "reserved.jinja"
    text = reserved.read_text(encoding="utf-8")
    assert text.count(" stats ") > 1
    reserved.write_text(text.replace(" stats ", " stats task "), encoding="utf-8")
    publish(template, LATER)


def edit_without_commit(_template: Path, project: Path) -> None:
    """Change a file without a commit."""
    (project / "README.md").write_text("Mine.\n", encoding="utf-8")


def delete_answers(_template: Path, project: Path) -> None:
    """Delete the recorded answers."""
    (project / ANSWERS).unlink()
    commit(project)


def record_missing_tag(_template: Path, project: Path) -> None:
    """Record a version that does not exist."""
    edit_answers(project, f"_commit: {NEWEST}", "_commit: 0.0.7")


def record_missing_template(template: Path, project: Path) -> None:
    """Record a folder that does not exist."""
    edit_answers(project, str(template), "../gone")


@pytest.mark.parametrize(
    ("cause", "question"),
    [
        (record_invalid_answer, "pagination"),
        (reserve_name, "resource_name"),
        (edit_without_commit, ""),
        (delete_answers, ""),
        (record_missing_tag, ""),
        (record_missing_template, ""),
    ],
)
def test_failed_update_prints_a_documented_message_and_changes_nothing(
    cause: Callable[[Path, Path], None], question: str, copied_releases: Path, tmp_path: Path
) -> None:
    """docs/updating.md lists the messages, with the required steps."""
    project = start(copied_releases, tmp_path / "app", {}, NEWEST)
    cause(copied_releases, project)
    before = git(project, "status", "--porcelain")
    done = command(project, *COPIER, "update", "--defaults", status=None)
    assert done.returncode != 0
    assert git(project, "status", "--porcelain") == before
    page = (project / "docs" / "updating.md").read_text(encoding="utf-8")
    if question:
        assert question in done.stderr
        assert "Traceback" not in done.stderr
        assert "an answer, and what it accepts" in page
        return
    documented = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    assert [message for message in documented if message in done.stderr], done.stderr
