"""One virtual environment for all rendered projects, so that packages are installed once."""

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
# The variables that commands inherit; none of them configures a backend.
INHERITED = ("HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE")
TIMEOUT_IN_MINUTES = 15


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the dependencies of all rendered projects."""

    home: Path

    @property
    def python(self) -> Path:
        """The Python interpreter."""
        return self.home / "bin" / "python"

    def versions(self) -> str:
        """Return the versions of Python and of all installed packages."""
        return (self.home / "ready").read_text(encoding="utf-8")

    def run(
        self, directory: Path, *command: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment, with only the inherited and the given variables."""
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
            timeout=TIMEOUT_IN_MINUTES * 60,
            check=False,
        )

    def check(self, directory: Path, *command: str, **variables: str) -> str:
        """Run a command that must succeed, and return its output; a failure shows the output."""
        done = self.run(directory, *command, **variables)
        assert done.returncode == 0, f"{' '.join(command)} exited {done.returncode}\n{done.stdout}"
        return done.stdout


def uv() -> str:
    """Return the path of the uv that runs these tests, or that the Makefile installed."""
    found = os.environ.get("UV") or shutil.which("uv") or ROOT / ".uv" / "bin" / "uv"
    assert Path(found).exists(), "uv is neither on PATH nor in .uv/: run the tests with `make test`"
    return str(found)


def requirements(pyproject: dict[str, Any]) -> set[str]:
    """Return the requirements in a pyproject.toml, including development tools."""
    groups = pyproject.get("dependency-groups", {})
    entries = [entry for group in groups.values() for entry in group]
    return {
        *pyproject["project"]["dependencies"],
        *(entry for entry in entries if isinstance(entry, str)),
    }


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock a file exclusively: the workers of pytest-xdist share the cache."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def all_requirements(
    template: Path, scratch: Path, answer_sets: Iterable[dict[str, Any]]
) -> list[str]:
    """Return the requirements of all projects that these answers render, cached by their hash."""
    answer_sets = list(answer_sets)
    cached = CACHE / "requirements" / f"{digest(json.dumps(answer_sets))}.json"
    if not cached.exists():
        found: set[str] = set()
        for number, answers in enumerate(answer_sets):
            project = render(
                template, scratch / str(number), answers, exclude=["*", "!pyproject.toml"]
            )
            found |= requirements(tomllib.loads((project / "pyproject.toml").read_text("utf-8")))
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.write_text(json.dumps(sorted(found)), encoding="utf-8")
    return list(json.loads(cached.read_text(encoding="utf-8")))


def shared_environment(
    template: Path, scratch: Path, answer_sets: Iterable[dict[str, Any]]
) -> Environment:
    """Return the environment for these answers; create it unless it exists."""
    with locked(CACHE / "environment.lock"):
        wanted = all_requirements(template, scratch, answer_sets)
        key = hashlib.sha256("\n".join([sys.version, *wanted]).encode()).hexdigest()[:16]
        environment = Environment(CACHE / "environments" / key)
        ready = environment.home / "ready"
        if not ready.exists():
            # Bytecode is compiled here, because `run` sets PYTHONDONTWRITEBYTECODE.
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
