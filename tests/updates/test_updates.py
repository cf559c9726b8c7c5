"""`copier update`: fixes of the template arrive, and edits of projects stay."""

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
from tests.support.rendering import cheap, questions
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

# Changes of a later version of the template: in files that the owner edited, on other lines, and in
# files that the owner deleted or that an update leaves alone.
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
# Without the requirement, which would make the project's lock file out of date.
FIXES = tuple(edit for edit in ELSEWHERE if edit is not PYPROJECT)
LATER = "1000.1.0"
# The rendered files of sources whose names are computed, and the files that do not change.
RENDERED = {
    "template/app/routers/*.jinja": "app/routers/task.py",
    "template/app/services/*yield*.jinja": "app/services/task.py",
    "template/app/schemas/*yield*.jinja": "app/schemas/task.py",
    "template/*/docs/authentication.md": "docs/authentication.md",
}
LEFT = (*DELETED, "migrations/versions/0001_initial.py")


def release(template: Path, version: str, *edits: Edit) -> None:
    """Release the template with some edits."""
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
def own(releases: Path, tmp_path: Path) -> Path:
    """The template with its releases, for a test that adds a release."""
    copied: Path = shutil.copytree(releases, tmp_path / "todo-backend-template")
    return copied


def work(project: Path, *edits: Edit) -> Path:
    """Edit, add and delete files of a project, lock its requirements, and commit."""
    for edit in edits:
        edit.apply(project)
    for name in DELETED:
        (project / name).unlink()
    command(project, "uv", "lock", "--quiet")
    commit(project, "Work")
    return project


def assert_kept(project: Path, edits: tuple[Edit, ...]) -> None:
    """Expect all edits of the owner, and none of the deleted files."""
    assert conflicts(project) == {}
    assert rejected(project) == []
    assert [edit for edit in edits if not edit.is_there(project)] == []
    assert [name for name in DELETED if (project / name).exists()] == []
    changed = git(project, "diff", "--name-only", "HEAD").splitlines()
    assert not [name for name in changed if name.startswith("migrations/versions/")]
    assert "uv.lock" not in changed


def assert_arrived(project: Path, edits: tuple[Edit, ...]) -> None:
    """Expect the edits of a release in a project, but for the files that an update leaves alone."""
    for edit in edits:
        known = edit.path.removeprefix("template/").removesuffix(".jinja")
        name = RENDERED.get(edit.path, known)
        if name not in LEFT:
            assert edit.after in (project / name).read_text(encoding="utf-8"), name


def prove(project: Path, environment: Environment) -> None:
    """Expect that a project passes its checks and its tests."""
    environment.check(project, "ruff", "format", "--check", "--no-cache")
    environment.check(project, "ruff", "check", "--no-cache")
    environment.check(project, "mypy", "--cache-dir", str(project.parent / "mypy"))
    environment.check(project, "python", "-m", "scripts.migrations", "check")
    environment.check(project, "pytest", "-p", "no:cacheprovider", "--quiet")


@pytest.mark.long
@pytest.mark.parametrize("version", released())
def test_fixes_arrive_and_edits_stay(
    version: str, own: Path, environment: Environment, tmp_path: Path
) -> None:
    """From every release to the working tree with changes of its own."""
    project = work(start(own, tmp_path / "app", {}, version), *DEFAULTS)
    release(own, LATER, *FIXES)
    history = git(project, "log", "--format=%H")
    update(project)
    assert f"_commit: {LATER}" in (project / ANSWERS).read_text(encoding="utf-8")
    assert_kept(project, DEFAULTS)
    assert_arrived(project, FIXES)
    assert git(project, "log", "--format=%H") == history
    assert git(project, "stash", "list") == ""
    command(project, "uv", "lock", "--quiet", "--check")
    prove(project, environment)


@pytest.mark.parametrize("version", released())
def test_a_project_in_a_folder_of_a_repository_is_updated(
    version: str, releases: Path, tmp_path: Path
) -> None:
    repository = tmp_path / "monorepo"
    page = repository / "frontend" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>Hello", encoding="utf-8")
    commit(repository)
    project = work(start(releases, repository / "backend", {}, version), *DEFAULTS)
    history = git(repository, "log", "--format=%H")
    update(project, {"soft_delete": True})
    assert_kept(project, DEFAULTS)
    assert (project / "app" / "models" / "soft_deleted.py").exists()
    changed = git(repository, "status", "--porcelain").splitlines()
    assert [line for line in changed if not line[3:].startswith("backend/")] == []
    assert git(repository, "log", "--format=%H") == history


def test_no_conflict_where_the_template_changed_other_lines(own: Path, tmp_path: Path) -> None:
    project = work(start(own, tmp_path / "app", {}, NEWEST), *DEFAULTS)
    release(own, LATER, *ELSEWHERE)
    update(project)
    assert_kept(project, DEFAULTS)
    assert_arrived(project, ELSEWHERE)
    revision = (project / LEFT[-1]).read_text(encoding="utf-8")
    assert ELSEWHERE[-1].after not in revision


def test_a_conflict_is_inline_markers_and_nothing_else(own: Path, tmp_path: Path) -> None:
    """Template and owner changed the same line; the rest of the update arrives."""
    theirs = Edit(
        "template/app/settings.py", 'log_level: Literal["DEBUG",', 'log_level: Literal["ALL",'
    )
    ours = Edit("app/settings.py", 'log_level: Literal["DEBUG",', 'log_level: Literal["TRACE",')
    project = work(start(own, tmp_path / "app", {}, NEWEST), DEPENDENCY, SECTION, ours)
    release(own, LATER, theirs, SETTINGS, PYPROJECT)
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


def test_a_moved_tag_is_repaired_by_its_commit(own: Path, tmp_path: Path) -> None:
    """Copier takes the changes that a moved tag hides for edits of the owner."""
    project = start(own, tmp_path / "app", {}, NEWEST)
    rendered_from = git(own, "rev-parse", NEWEST).strip()
    SETTINGS.apply(own)
    commit(own)
    git(own, "tag", "--force", NEWEST)
    release(own, LATER, PYPROJECT)
    update(project)
    assert SETTINGS.after not in (project / "app/settings.py").read_text(encoding="utf-8")
    git(project, "reset", "--quiet", "--hard")
    recorded = project / ANSWERS
    text = recorded.read_text(encoding="utf-8").replace(NEWEST, rendered_from)
    recorded.write_text(text, encoding="utf-8")
    commit(project)
    update(project)
    assert SETTINGS.after in (project / "app/settings.py").read_text(encoding="utf-8")
    assert PYPROJECT.after in (project / "pyproject.toml").read_text(encoding="utf-8")


def test_an_update_asks_with_the_recorded_answers(releases: Path, tmp_path: Path) -> None:
    """An interactive update: Enter accepts the recorded answers, and one answer changes."""
    answers = {"resource_name": "chore", "fields": {"b": "str", "a": "int"}, "id_type": "int"}
    project = start(releases, tmp_path / "app", answers, NEWEST)
    keys = [
        "\x1b[B\r" if name == "pagination" else "\x1b\r" if question.get("multiline") else "\r"
        for name, question in questions().items()
    ]
    with create_pipe_input() as keyboard, cheap():
        keyboard.send_text("".join(keys))
        with create_app_session(input=keyboard, output=DummyOutput()):
            copier.run_update(project, overwrite=True, quiet=True)
    expected = start(releases, tmp_path / "new", answers | {"pagination": "cursor"}, NEWEST)
    assert git(project, "diff", "--name-only").splitlines()
    for path in expected.rglob("*"):
        relative = path.relative_to(expected)
        if path.is_file() and ".git" not in relative.parts and relative.name != ".env":
            assert (project / relative).read_bytes() == path.read_bytes(), relative


def test_the_command_takes_a_file_of_answers(releases: Path, tmp_path: Path) -> None:
    project = start(releases, tmp_path / "app", {}, NEWEST)
    fields = {"title": "str", "completed": "bool", "effort": {"type": "int", "default": 1}}
    answers = {"fields": fields}
    (tmp_path / "answers.yml").write_text(yaml.safe_dump(answers), encoding="utf-8")
    done = command(
        project, *COPIER, "update", "--defaults", "--data-file", str(tmp_path / "answers.yml")
    )
    for word in ("its files are deleted", "renamed_from", "make check", "make migration", "make migrate"):
        assert word in done.stderr, done
    assert "effort" in (project / "app/models/task.py").read_text(encoding="utf-8")
    recorded = yaml.safe_load((project / ANSWERS).read_text(encoding="utf-8"))
    assert recorded["fields"] == fields


@pytest.mark.long
def test_a_missing_revision_fails_check_and_test_with_the_command(
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


def spoil_answer(_template: Path, project: Path) -> None:
    """Record an answer that no version accepts."""
    recorded = project / ANSWERS
    text = recorded.read_text(encoding="utf-8").replace("pagination: page", "pagination: pages")
    recorded.write_text(text, encoding="utf-8")
    commit(project)


def reserve_name(template: Path, _project: Path) -> None:
    """Release a version that no longer accepts the project's answer."""
    reserved = template / "hooks" / "check" / "reserved.jinja"
    text = reserved.read_text(encoding="utf-8")
    assert text.count(" stats ") > 1
    reserved.write_text(text.replace(" stats ", " stats task "), encoding="utf-8")
    publish(template, LATER)


def leave_uncommitted(_template: Path, project: Path) -> None:
    """Change a file, and commit nothing."""
    (project / "README.md").write_text("Mine.\n", encoding="utf-8")


def lose_answers(_template: Path, project: Path) -> None:
    """Remove the file of answers."""
    (project / ANSWERS).unlink()
    commit(project)


def lose_tag(_template: Path, project: Path) -> None:
    """Record a version that does not exist."""
    recorded = project / ANSWERS
    text = recorded.read_text(encoding="utf-8").replace(f"_commit: {NEWEST}", "_commit: 0.0.7")
    recorded.write_text(text, encoding="utf-8")
    commit(project)


def move_template(template: Path, project: Path) -> None:
    """Record a folder that does not exist."""
    recorded = project / ANSWERS
    text = recorded.read_text(encoding="utf-8").replace(str(template), "../gone")
    recorded.write_text(text, encoding="utf-8")
    commit(project)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (spoil_answer, "pagination"),
        (reserve_name, "resource_name"),
        (leave_uncommitted, ""),
        (lose_answers, ""),
        (lose_tag, ""),
        (move_template, ""),
    ],
)
def test_a_failed_update_says_why_and_leaves_the_tree_alone(
    spoil: Callable[[Path, Path], None], named: str, own: Path, tmp_path: Path
) -> None:
    """The message is in the table of docs/updating.md, with what to do."""
    project = start(own, tmp_path / "app", {}, NEWEST)
    spoil(own, project)
    before = git(project, "status", "--porcelain")
    done = command(project, *COPIER, "update", "--defaults", status=None)
    assert done.returncode != 0
    assert git(project, "status", "--porcelain") == before
    page = (project / "docs" / "updating.md").read_text(encoding="utf-8")
    if named:
        assert named in done.stderr
        assert "Traceback" not in done.stderr
        assert "an answer, and what it accepts" in page
        return
    known = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    assert [message for message in known if message in done.stderr], done.stderr
