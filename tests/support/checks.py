"""What a rendered project is asked, whichever answers it is of."""

import configparser
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.support.environment import CACHE, Environment
from tests.support.rendering import CACHES, rendered_files

SYNTAX = re.compile(r"\{\{[-+ \w]|\{%|\{#|%\}|#\}")
# GitHub's own expressions.
ALLOWED = {".github": re.compile(r"\$\{\{ [^{}]+ \}\}")}
PYTEST = ("pytest", "-p", "no:cacheprovider", "--quiet")


def texts(project: Path) -> Iterator[tuple[str, str]]:
    """The rendered files: their paths and what is in them."""
    for path in rendered_files(project):
        if not set(CACHES) & set(path.parts) and not path.name.startswith(".coverage"):
            yield str(path.relative_to(project)), path.read_text(encoding="utf-8")


def assert_types(environment: Environment, project: Path) -> None:
    """Its types are right, as its own settings of mypy want them."""
    # Of one worker: what mypy knows of the libraries serves all projects that it checks.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    environment.check(project, "mypy", "--cache-dir", str(CACHE / "mypy" / worker))


def gate(project: Path) -> str:
    """The option that takes the project's settings of coverage, but for what runs in greenlets.

    To follow these takes half as long again. Without them less counts as run, so what passes this
    gate passes the project's own, which test_workflow.py runs.
    """
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    coverage = pyproject["tool"]["coverage"]
    assert coverage["report"]["fail_under"] >= 90
    coverage["run"]["concurrency"] = ["thread"]
    config = configparser.ConfigParser()
    for section in ("run", "report"):
        config[section] = {
            name: "\n".join(value) if isinstance(value, list) else str(value)
            for name, value in coverage[section].items()
        }
    beside = project.with_name(f"{project.name}.coverage.ini")
    with beside.open("w", encoding="utf-8") as file:
        config.write(file)
    return f"--cov-config={beside}"


def assert_own_tests(environment: Environment, project: Path, *, gated: bool = True) -> None:
    """Its own tests pass on SQLite, with their coverage gate or without."""
    environment.check(project, *PYTEST, *(("--cov", gate(project)) if gated else ()))


def assert_own_tests_on(url: str, environment: Environment, project: Path, *arguments: str) -> None:
    """Its own tests pass on the server of a URL, without the gate, which takes longer than they."""
    environment.check(project, *PYTEST, *arguments, TEST_DATABASE_URL=url)
