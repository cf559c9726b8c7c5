"""One environment for all renders, so that no cell of the matrix pays for an installation."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.rendering import ROOT, digest, render

CACHE = ROOT / ".cache"
# What a command may know of the machine; no setting of the developer's own backend among it.
INHERITED = ("HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE")
MINUTES = 15


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds what any rendered project needs, by its dependencies."""

    home: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.home / "bin" / "python"

    def versions(self) -> str:
        """Everything that is installed in it, and where its Python is from."""
        return (self.home / "ready").read_text(encoding="utf-8")

    def run(
        self, directory: Path, *command: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one of its commands in a directory, with nothing of this process's environment."""
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        path = os.pathsep.join([str(self.home / "bin"), os.environ["PATH"]])
        return subprocess.run(
            [str(self.home / "bin" / command[0]), *command[1:]],
            cwd=directory,
            env={**inherited, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1", **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=MINUTES * 60,
            check=False,
        )

    def check(self, directory: Path, *command: str, **variables: str) -> str:
        """Run a command that has to succeed; what it printed is the message when it does not."""
        done = self.run(directory, *command, **variables)
        assert done.returncode == 0, f"{' '.join(command)} exited {done.returncode}\n{done.stdout}"
        return done.stdout


def uv() -> str:
    """The uv that runs these tests, or the one of the Makefile."""
    found = os.environ.get("UV") or shutil.which("uv") or ROOT / ".uv" / "bin" / "uv"
    assert Path(found).exists(), "uv is neither on PATH nor in .uv/: run the tests with `make test`"
    return str(found)


def requirements(pyproject: dict[str, Any]) -> set[str]:
    """Everything that a project's pyproject.toml asks for, development tools included."""
    groups = pyproject.get("dependency-groups", {})
    entries = [entry for group in groups.values() for entry in group]
    return {
        *pyproject["project"]["dependencies"],
        *(entry for entry in entries if isinstance(entry, str)),
    }


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process in at a time: the workers of pytest-xdist share the cache."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def union(template: Path, scratch: Path, answer_sets: Iterable[dict[str, Any]]) -> list[str]:
    """The requirements of every project that these answers render, remembered by their hash."""
    answer_sets = list(answer_sets)
    known = CACHE / "requirements" / f"{digest(json.dumps(answer_sets))}.json"
    if not known.exists():
        found: set[str] = set()
        for number, answers in enumerate(answer_sets):
            project = render(
                template, scratch / str(number), answers, exclude=["*", "!pyproject.toml"]
            )
            found |= requirements(tomllib.loads((project / "pyproject.toml").read_text("utf-8")))
        known.parent.mkdir(parents=True, exist_ok=True)
        known.write_text(json.dumps(sorted(found)), encoding="utf-8")
    return list(json.loads(known.read_text(encoding="utf-8")))


def shared_environment(
    template: Path, scratch: Path, answer_sets: Iterable[dict[str, Any]]
) -> Environment:
    """Make the environment of all these renders, or find the one that was made before."""
    with locked(CACHE / "environment.lock"):
        wanted = union(template, scratch, answer_sets)
        key = hashlib.sha256("\n".join([sys.version, *wanted]).encode()).hexdigest()[:16]
        environment = Environment(CACHE / "environments" / key)
        ready = environment.home / "ready"
        if not ready.exists():
            # Compiled here, because `run` lets nothing be written.
            install = ["pip", "install", "--quiet", "--compile-bytecode", "--python"]
            for command in (
                ["venv", "--quiet", "--clear", "--python", sys.executable, str(environment.home)],
                [*install, str(environment.python), *wanted],
            ):
                subprocess.run([uv(), *command], cwd=ROOT, check=True)
            freeze = [uv(), "pip", "freeze", "--quiet", "--python", str(environment.python)]
            installed = subprocess.run(freeze, check=True, capture_output=True, text=True).stdout
            ready.write_text(f"{sys.version}\n{installed}", encoding="utf-8")
    return environment
