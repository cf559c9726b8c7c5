"""Render the template of the working tree in this process, as `copier copy` does."""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

import copier
import yaml
from copier._main import SandboxedEnvironment

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "template"
PARTS = ("copier.yml", "hooks", "presets", "template")
CACHES = ("__pycache__", ".ruff_cache", ".mypy_cache", ".pytest_cache")


def sources(*parts: str) -> Iterator[Path]:
    """Yield the files in parts of the repository, by default in those that Copier reads."""
    for part in parts or PARTS:
        for path in sorted([ROOT / part, *(ROOT / part).rglob("*")]):
            if path.is_file() and not set(path.parts) & set(CACHES):
                yield path


def digest(*extra: str) -> str:
    """Return a hash of the template and of further strings."""
    state = hashlib.sha256()
    for path in sources():
        state.update(f"{path.relative_to(ROOT)}\0".encode())
        state.update(path.read_bytes() + b"\0")
    for text in extra:
        state.update(text.encode())
    return state.hexdigest()[:16]


def copy_template(destination: Path) -> Path:
    """Copy the template without its history: Copier would render the last tag of a repository."""
    for path in sources():
        target = destination / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    return destination


class CachingEnvironment(SandboxedEnvironment):
    """Compiles each source once, independently of its path: Copier may clone the template."""

    compiled: ClassVar[dict[tuple[Any, ...], Any]] = {}

    def compile(self, source: Any, name: str | None = None, *rest: Any) -> Any:  # noqa: ANN401
        """Compile a source, unless it has been compiled before."""
        self.preprocess(source)  # Resets the state of Copier's `yield` tag.
        if (source, name) not in self.compiled:
            self.compiled[source, name] = super().compile(source, name, *rest)
        return self.compiled[source, name]


@contextmanager
def fast_copier() -> Iterator[None]:
    """Speed up Copier, with the same result.

    Jinja sources are compiled once. Copier does not run git for each rendered file to find out
    whether executable bits are kept, which would take two thirds of the time.
    The tests of the command line do not use this.
    """
    with (
        mock.patch("copier._main.SandboxedEnvironment", CachingEnvironment),
        mock.patch("copier._main.is_git_available", return_value=False),
    ):
        yield


def render(
    template: Path, destination: Path, answers: dict[str, Any], exclude: Sequence[str] = ()
) -> Path:
    """Render as `copier copy --defaults` does, without `--trust`."""
    with fast_copier():
        copier.run_copy(
            str(template),
            destination,
            data=answers,
            defaults=True,
            exclude=exclude,
            quiet=True,
            unsafe=False,
        )
    return destination


def rendered_files(project: Path) -> list[Path]:
    """Return the files of a rendered project."""
    return sorted(path for path in project.rglob("*") if path.is_file())


def recorded_answers(project: Path) -> dict[str, Any]:
    """Return the answers that a project records, and the location and version of its template."""
    text = (project / ".copier-answers.yml").read_text(encoding="utf-8")
    answers: dict[str, Any] = yaml.safe_load(text)
    return answers


@cache
def questions() -> dict[str, dict[str, Any]]:
    """Return the questions of copier.yml, without its settings and hidden questions."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    return {
        name: question
        for name, question in loaded.items()
        if not name.startswith("_") and question.get("when") is not False
    }


@cache
def settings() -> dict[str, Any]:
    """Return the settings of copier.yml: the keys that begin with an underscore."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    return {name: value for name, value in loaded.items() if name.startswith("_")}


def choices(question: dict[str, Any]) -> list[Any]:
    """Return the values that a question offers, in its order."""
    if question.get("type") == "bool":
        return [True, False]
    offered = question.get("choices", [])
    return list(offered.values() if isinstance(offered, dict) else offered)
