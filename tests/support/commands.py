"""Commands as a person runs them, in a shell without the variables of these tests."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.environment import uv

COPIER = (sys.executable, "-m", "copier")
IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
# Of the shell that runs these tests, and nothing for the projects that they make.
FOREIGN = (
    *("VIRTUAL_ENV", "UV_", "COV_", "COVERAGE_", "PYTEST_", "DATABASE_URL", "TEST_DATABASE"),
    "PYTHONDONTWRITEBYTECODE",
)


def surroundings() -> dict[str, str]:
    """The environment of a person's shell: uv on PATH, and no setting of another project."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FOREIGN) or name.startswith(("UV_INDEX", "UV_DEFAULT", "UV_FIND"))
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
    """Run a command as a person would, and expect its status, if any."""
    done = subprocess.run(
        arguments,
        cwd=directory,
        env=surroundings(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert status in {None, done.returncode}, f"{arguments} exited {done.returncode}\n{done}"
    return done


def git(repository: Path, *arguments: str) -> str:
    """Run git as somebody, and return what it printed."""
    return command(repository, "git", *IDENTITY, *arguments).stdout


def commit(repository: Path, message: str = "New") -> None:
    """Commit all that a directory holds, which becomes a repository where it is none."""
    if not any((folder / ".git").exists() for folder in (repository, *repository.parents)):
        git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--allow-empty", f"--message={message}")
