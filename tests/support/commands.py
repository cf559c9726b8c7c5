"""Run commands as users do, without the environment variables of these tests."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.environment import uv

COPIER = (sys.executable, "-m", "copier")
IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
# Linters that are not dependencies of this repository.
CHECK_JSONSCHEMA = "check-jsonschema@0.39.0"
ZIZMOR = "zizmor@1.32.0"
# Prefixes of variables that must not reach the commands.
REMOVED = (
    *("VIRTUAL_ENV", "UV_", "COV_", "COVERAGE_", "PYTEST_", "DATABASE_URL", "TEST_DATABASE"),
    "PYTHONDONTWRITEBYTECODE",
)


def shell_environment() -> dict[str, str]:
    """Return the environment of a user's shell, with uv on PATH."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(REMOVED) or name.startswith(("UV_INDEX", "UV_DEFAULT", "UV_FIND"))
    }
    return {
        **kept,
        "PATH": os.pathsep.join([str(Path(uv()).parent), kept["PATH"]]),
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
    }


def command(
    directory: Path, *arguments: str, status: int | None = 0
) -> subprocess.CompletedProcess[str]:
    """Run a command as a user would, and check its exit status unless `status` is None."""
    done = subprocess.run(
        arguments,
        cwd=directory,
        env=shell_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert status in {None, done.returncode}, f"{arguments} exited {done.returncode}\n{done}"
    return done


def git(repository: Path, *arguments: str) -> str:
    """Run git with an identity, and return its output."""
    return command(repository, "git", *IDENTITY, *arguments).stdout


def commit(repository: Path, message: str = "New") -> None:
    """Commit all files of a directory; initialize a repository if there is none."""
    if not any((folder / ".git").exists() for folder in (repository, *repository.parents)):
        git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--allow-empty", f"--message={message}")


def run_linter(*arguments: str, cwd: Path | None = None) -> None:
    """Run a linter with `uv tool run`; a failure shows its output."""
    done = subprocess.run(
        [uv(), "tool", "run", "--quiet", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
