"""Render the working tree, in process and untrusted, as `copier copy` does."""

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
    """Every file of these parts of the repository, by default of all that Copier reads."""
    for part in parts or PARTS:
        for path in sorted([ROOT / part, *(ROOT / part).rglob("*")]):
            if path.is_file() and not set(path.parts) & set(CACHES):
                yield path


def digest(*extra: str) -> str:
    """A hash of everything that decides what is rendered."""
    state = hashlib.sha256()
    for path in sources():
        state.update(f"{path.relative_to(ROOT)}\0".encode())
        state.update(path.read_bytes() + b"\0")
    for text in extra:
        state.update(text.encode())
    return state.hexdigest()[:16]


def copy_template(destination: Path) -> Path:
    """Copy the working tree without its history: Copier would render a repository's last tag."""
    for path in sources():
        target = destination / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    return destination


class Remembering(SandboxedEnvironment):
    """Compiles a text once, wherever it lies: each run of Copier may have a clone of its own."""

    known: ClassVar[dict[tuple[Any, ...], Any]] = {}

    def compile(self, source: Any, name: str | None = None, *rest: Any) -> Any:  # noqa: ANN401
        """Compile, or find what was compiled before."""
        self.preprocess(source)  # Copier's own tag forgets there what it yielded last.
        if (source, name) not in self.known:
            self.known[source, name] = super().compile(source, name, *rest)
        return self.known[source, name]


@contextmanager
def cheap() -> Iterator[None]:
    """Run Copier without what costs most, and changes nothing.

    Jinja compiles what it has compiled before. And git is asked for each rendered file whether it
    keeps executable bits: twice the time of all the rest, and no answer outside of a repository.
    The tests of the command line go without this.
    """
    with (
        mock.patch("copier._main.SandboxedEnvironment", Remembering),
        mock.patch("copier._main.is_git_available", return_value=False),
    ):
        yield


def render(
    template: Path, destination: Path, answers: dict[str, Any], exclude: Sequence[str] = ()
) -> Path:
    """Render as `copier copy --defaults` does: no trust, no prompt."""
    with cheap():
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
    """The files of a rendered project, before its tools wrote any of theirs."""
    return sorted(path for path in project.rglob("*") if path.is_file())


@cache
def questions() -> dict[str, dict[str, Any]]:
    """What copier.yml asks, in its order: neither its settings nor its hidden questions."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    return {
        name: question
        for name, question in loaded.items()
        if not name.startswith("_") and question.get("when") is not False
    }


@cache
def settings() -> dict[str, Any]:
    """The settings of copier.yml: its keys with an underscore."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    return {name: value for name, value in loaded.items() if name.startswith("_")}


def choices(question: dict[str, Any]) -> list[Any]:
    """The values that a question offers, in its order."""
    if question.get("type") == "bool":
        return [True, False]
    offered = question.get("choices", [])
    return list(offered.values() if isinstance(offered, dict) else offered)
