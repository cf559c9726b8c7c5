"""Releases: their versions, changelog and copies, and that updates need no trust."""

import shutil
from pathlib import Path

import pytest
import yaml
from packaging.version import Version

from tests.support.commands import commit
from tests.support.rendering import ROOT
from tools import release


@pytest.mark.parametrize("version", release.released())
def test_release_needs_neither_trust_nor_answers(version: str) -> None:
    """A release with a task would make every later `copier update` across it require trust."""
    asked = yaml.safe_load(release.stored(version)["copier.yml"])
    assert asked.keys().isdisjoint({"_tasks", "_jinja_extensions"})
    assert all("version" in migration for migration in asked.get("_migrations", []))
    questions = {name: each for name, each in asked.items() if name[0] != "_"}
    assert len(questions) > 10
    assert [name for name, each in questions.items() if "default" not in each] == []


def test_released_versions_are_final_and_have_notes() -> None:
    before: list[str] = []
    for version in release.released():
        release.check_version(version, before)
        assert release.notes(version)
        before.append(version)


def test_working_tree_is_newer_than_the_last_release() -> None:
    newest = release.released()[-1]
    if release.current() == newest:
        assert release.contents() == release.stored(newest)
    else:
        assert Version(release.current()) > Version(newest)
        assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository whose next release is 1.2.0."""
    monkeypatch.setattr(release, "ROOT", tmp_path)
    monkeypatch.setattr(release, "RELEASES", tmp_path / "tests" / "releases")
    release.RELEASES.mkdir(parents=True)
    for part in ("hooks", "template"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "file").write_text("text", encoding="utf-8")
    (tmp_path / "copier.yml").write_text("a: {default: 1}\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.0"\n', encoding="utf-8")
    changelog = (
        "# Changelog\n\n## [1.2.0] - 2030-01-31\n\n- News.\n\n## [1.1.0] - 2030-01-01\n\n- Old.\n"
    )
    (tmp_path / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    release.store("1.1.0", {"copier.yml": b""})
    commit(tmp_path)
    return tmp_path


def test_release_is_stored_and_verified(checkout: Path) -> None:
    assert "git tag 1.2.0" in release.prepare()
    files = {"copier.yml": b"a: {default: 1}\n", "hooks/file": b"text", "template/file": b"text"}
    assert release.stored("1.2.0") == files
    assert release.verify("1.2.0") == "- News."
    first = (checkout / "tests/releases/1.2.0.tar.xz").read_bytes()
    release.prepare()
    assert (checkout / "tests/releases/1.2.0.tar.xz").read_bytes() == first


@pytest.mark.parametrize(
    "version", ["1.1.0", "1.0.9", "1.2.0rc1", "1.2", "1.2.0+here", "v1.2.0", "x"]
)
def test_unsuitable_version_is_rejected(checkout: Path, version: str) -> None:
    project = f'[project]\nversion = "{version}"\n'
    (checkout / "pyproject.toml").write_text(project, encoding="utf-8")
    changelog = (checkout / "CHANGELOG.md").read_text(encoding="utf-8")
    (checkout / "CHANGELOG.md").write_text(changelog.replace("1.2.0", version), encoding="utf-8")
    message = r"not a valid version|not a final version|not newer|is already released"
    with pytest.raises(ValueError, match=message):
        release.prepare()
    assert release.released() == ["1.1.0"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "pyproject.toml",
            '[project]\nversion = "1.3.0"\n',
            "the version in pyproject.toml is 1.3.0",
        ),
        ("CHANGELOG.md", "## [1.2.0]\n\n- No date.\n", "needs a section"),
        ("CHANGELOG.md", "## [1.2.0] - 2030-01-31\n\n## [1.1.0] - 2030-01-01\n", "needs a section"),
        ("template/file", "changed since", "differs from this tree"),
    ],
)
def test_tag_that_does_not_match_is_rejected(
    checkout: Path, name: str, text: str, message: str
) -> None:
    release.prepare()
    (checkout / name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        release.verify("1.2.0")


def test_tag_without_a_copy_is_rejected(checkout: Path) -> None:
    shutil.rmtree(checkout / "tests")
    release.RELEASES.mkdir(parents=True)
    with pytest.raises(ValueError, match="make release"):
        release.verify("1.2.0")
