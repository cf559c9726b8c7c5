"""Releases: Copier finds them, the changelog tells of them, and updates need no trust."""

import shutil
from pathlib import Path

import pytest
import yaml
from packaging.version import Version

from tests.support.commands import commit
from tests.support.rendering import ROOT
from tools import release


@pytest.mark.parametrize("version", release.released())
def test_needs_no_trust_and_no_answer(version: str) -> None:
    """One release with a task would stop every plain `copier update` across it, for good."""
    asked = yaml.safe_load(release.stored(version)["copier.yml"])
    assert asked.keys().isdisjoint({"_tasks", "_jinja_extensions"})
    assert all("version" in migration for migration in asked.get("_migrations", []))
    questions = {name: of for name, of in asked.items() if not name.startswith("_")}
    assert len(questions) > 10
    assert [name for name, of in questions.items() if "default" not in of] == []


def test_versions_are_final_and_told_of() -> None:
    before: list[str] = []
    for version in release.released():
        release.check_version(version, before)
        assert release.notes(version)
        before.append(version)


def test_the_working_tree_is_newer_than_what_is_released() -> None:
    newest = release.released()[-1]
    if release.current() == newest:
        assert release.contents() == release.stored(newest)
    else:
        assert Version(release.current()) > Version(newest)
        assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository that is about to release 1.2.0."""
    monkeypatch.setattr(release, "ROOT", tmp_path)
    monkeypatch.setattr(release, "RELEASES", tmp_path / "tests" / "releases")
    release.RELEASES.mkdir(parents=True)
    for part in ("hooks", "template"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "file").write_text("text", encoding="utf-8")
    (tmp_path / "copier.yml").write_text("a: {default: 1}\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.0"\n', encoding="utf-8")
    told = (
        "# Changelog\n\n## [1.2.0] - 2030-01-31\n\n- News.\n\n## [1.1.0] - 2030-01-01\n\n- Old.\n"
    )
    (tmp_path / "CHANGELOG.md").write_text(told, encoding="utf-8")
    release.store("1.1.0", {"copier.yml": b""})
    commit(tmp_path)
    return tmp_path


def test_a_release_is_kept_and_its_notes_are_told(checkout: Path) -> None:
    assert "git tag 1.2.0" in release.prepare()
    kept = {"copier.yml": b"a: {default: 1}\n", "hooks/file": b"text", "template/file": b"text"}
    assert release.stored("1.2.0") == kept
    assert release.verify("1.2.0") == "- News."
    first = (checkout / "tests/releases/1.2.0.tar.xz").read_bytes()
    release.prepare()
    assert (checkout / "tests/releases/1.2.0.tar.xz").read_bytes() == first


@pytest.mark.parametrize(
    "version", ["1.1.0", "1.0.9", "1.2.0rc1", "1.2", "1.2.0+here", "v1.2.0", "x"]
)
def test_a_version_that_copier_would_not_take_is_refused(checkout: Path, version: str) -> None:
    project = f'[project]\nversion = "{version}"\n'
    (checkout / "pyproject.toml").write_text(project, encoding="utf-8")
    told = (checkout / "CHANGELOG.md").read_text(encoding="utf-8")
    (checkout / "CHANGELOG.md").write_text(told.replace("1.2.0", version), encoding="utf-8")
    with pytest.raises(ValueError, match=r"is no version|no final version|not newer|is released"):
        release.prepare()
    assert release.released() == ["1.1.0"]


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("pyproject.toml", '[project]\nversion = "1.3.0"\n', "pyproject.toml says 1.3.0"),
        ("CHANGELOG.md", "## [1.2.0]\n\n- No date.\n", "needs a section"),
        ("CHANGELOG.md", "## [1.2.0] - 2030-01-31\n\n## [1.1.0] - 2030-01-01\n", "needs a section"),
        ("template/file", "changed since", "is not what this tree holds"),
    ],
)
def test_a_tag_that_is_no_release_is_refused(
    checkout: Path, name: str, text: str, complaint: str
) -> None:
    release.prepare()
    (checkout / name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=complaint):
        release.verify("1.2.0")


def test_a_tag_without_a_copy_is_refused(checkout: Path) -> None:
    shutil.rmtree(checkout / "tests")
    release.RELEASES.mkdir(parents=True)
    with pytest.raises(ValueError, match="make release"):
        release.verify("1.2.0")
