"""The command that tells what a change does, in a small repository."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts import impact, migrations

GIT = shutil.which("git")
pytestmark = pytest.mark.skipif(GIT is None, reason="git is not installed")

APP = """
import json, pathlib

class app:
    @staticmethod
    def openapi():
        return json.loads(pathlib.Path(__file__).with_name("api.json").read_text())
"""
REVISION = """
revision = "{name}"
down_revision = {down!r}
phase = "after"
"""
HOSTILE = "/\x1b[31m{x}\n\u202e"


def git(*arguments: str) -> None:
    """Run git with an identity."""
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run([str(GIT), *identity, *arguments], check=True, capture_output=True)  # noqa: S603


def write_api(*paths: str) -> None:
    """Describe an API with these paths."""
    operation = {"get": {"responses": {"200": {"description": "A row."}}}}
    document = {"paths": dict.fromkeys(paths, operation)}
    Path("app/api.json").write_text(json.dumps(document), encoding="utf-8")


def write_revision(name: str, down: str | None) -> None:
    """Write a revision."""
    text = REVISION.format(name=name, down=down)
    Path("migrations/versions", f"{name}.py").write_text(text, encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with an API, a revision and a further file, which is not committed."""
    own = Path("pyproject.toml").read_text(encoding="utf-8")
    folder = tmp_path / "backend"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("UV", raising=False)
    for name in ("app", "scripts", "migrations/versions"):
        Path(name).mkdir(parents=True)
    Path("pyproject.toml").write_text(own, encoding="utf-8")
    Path("app/main.py").write_text(APP, encoding="utf-8")
    Path("scripts/create_env.py").write_text("def main(): ...\n", encoding="utf-8")
    Path("scripts/migrations.py").write_text("", encoding="utf-8")
    Path("extra.txt").write_text("More.\n", encoding="utf-8")
    Path(".env.example").touch()
    write_api("/rows")
    write_revision("first", None)
    return folder


@pytest.fixture
def repository(project: Path) -> Path:
    """The same project in a commit."""
    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--quiet", "--message=Start")
    return project


@pytest.mark.usefixtures("repository")
def test_nothing_changed(capsys: pytest.CaptureFixture[str]) -> None:
    assert impact.main("HEAD") == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "API: no changes that break clients",
        "Tables: no new revisions",
        "Files: no files deleted",
    ]


@pytest.mark.usefixtures("repository")
def test_changes_are_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_api("/new")
    write_revision("third", "second")
    write_revision("second", "first")
    Path("extra.txt").unlink()
    sql = {("first", "second"): "CREATE INDEX a ON b (c);", ("second", "third"): "SELECT 1;"}
    monkeypatch.setattr(migrations, "offline_sql", lambda *pair: sql[pair], raising=False)
    assert impact.main("main") == 1
    assert capsys.readouterr().out.splitlines()[1:] == [
        "API: 1 change that breaks clients",
        "  GET /rows: removed",
        "API: compatible changes",
        "  GET /new: added",
        "Tables: 2 new revisions",
        "  second.py (phase: after)",
        "    CREATE INDEX a ON b (c)",
        "      SHARE: blocks writes, not reads",
        "  third.py (phase: after)",
        "    SELECT 1",
        "      ACCESS SHARE: blocks neither reads nor writes",
        "Files: 1 file deleted",
        "  extra.txt",
    ]


@pytest.mark.usefixtures("repository")
def test_compatible_changes_succeed(capsys: pytest.CaptureFixture[str]) -> None:
    write_api("/rows", *(f"/new{number}" for number in range(9)))
    assert impact.main("HEAD") == 0
    output = capsys.readouterr().out
    assert (
        "API: no changes that break clients\nAPI: compatible changes\n  added: GET /new0" in output
    )


@pytest.mark.usefixtures("repository")
def test_names_are_printed_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    write_api("/rows", HOSTILE)
    assert impact.main("HEAD") == 0
    output = capsys.readouterr().out
    assert "  GET /\\x1b[31m{x}\\n\\u202e: added\n" in output


@pytest.mark.usefixtures("repository")
def test_missing_revision_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("scripts/migrations.py").write_text("raise SystemExit('differ')\n", encoding="utf-8")
    assert impact.main("HEAD") == 0
    assert "Tables: no new revisions\n  differ\n" in capsys.readouterr().out


@pytest.mark.usefixtures("project")
def test_folder_without_repository(capsys: pytest.CaptureFixture[str]) -> None:
    assert impact.main("HEAD") == 2
    assert "run `git init`" in capsys.readouterr().err
    git("init", "--quiet")
    assert impact.main("HEAD") == 2
    assert "commit the files first" in capsys.readouterr().err


@pytest.mark.usefixtures("project")
def test_project_in_a_folder_of_a_repository(capsys: pytest.CaptureFixture[str]) -> None:
    git("init", "--quiet", "..")
    Path("../other.txt").touch()
    git("-C", "..", "add", "--all")
    git("-C", "..", "commit", "--quiet", "--message=Start")
    Path("../other.txt").unlink()
    write_api()
    assert impact.main("HEAD") == 1
    output = capsys.readouterr().out
    assert "  GET /rows: removed\nTables: no new revisions\nFiles: no files deleted\n" in output


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("base", ["missing", "--help", "main:app"])
def test_unknown_commit(base: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert impact.main(base) == 2
    assert f"there is no commit {base}" in capsys.readouterr().err


@pytest.mark.usefixtures("repository")
def test_app_that_cannot_be_imported(capsys: pytest.CaptureFixture[str]) -> None:
    Path("app/main.py").write_text("<<<<<<< before updating\n", encoding="utf-8")
    assert impact.main("HEAD") == 2
    assert "the app of the working tree cannot be imported" in capsys.readouterr().err


@pytest.mark.usefixtures("repository")
def test_missing_git(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: Any) -> None:
        """Find no command."""

    monkeypatch.setattr(shutil, "which", nothing)
    assert impact.main("HEAD") == 2
    assert "git is not installed" in capsys.readouterr().err
