"""Checks that apply to every rendered project."""

import configparser
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.support.environment import CACHE, Environment
from tests.support.rendering import CACHES, rendered_files

SYNTAX = re.compile(r"\{\{[-+ \w]|\{%|\{#|%\}|#\}")
# Expressions of GitHub Actions.
ALLOWED = {".github": re.compile(r"\$\{\{ [^{}]+ \}\}")}
PYTEST = ("pytest", "-p", "no:cacheprovider", "--quiet")


def texts(project: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and the content of each rendered file."""
    for path in rendered_files(project):
        if not set(CACHES) & set(path.parts) and not path.name.startswith(".coverage"):
            yield str(path.relative_to(project)), path.read_text(encoding="utf-8")


def assert_types(environment: Environment, project: Path) -> None:
    """Run mypy with the settings of the project."""
    # One cache for each worker, because all projects import the same libraries.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    environment.check(project, "mypy", "--cache-dir", str(CACHE / "mypy" / worker))


def coverage_option(project: Path) -> str:
    """Return the option for the project's coverage settings, without measuring greenlets.

    Measuring greenlets takes 50 % longer. Without them, fewer lines count as executed: a project
    that passes here also passes with its own settings, which test_workflow.py uses.
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
    path = project.with_name(f"{project.name}.coverage.ini")
    with path.open("w", encoding="utf-8") as file:
        config.write(file)
    return f"--cov-config={path}"


def assert_own_tests(
    environment: Environment, project: Path, *arguments: str, gated: bool = True
) -> None:
    """Run the project's own tests on SQLite, with or without the coverage threshold."""
    measured = ("--cov", coverage_option(project)) if gated else ()
    environment.check(project, *PYTEST, *measured, *arguments)


def assert_own_tests_on(url: str, environment: Environment, project: Path, *arguments: str) -> None:
    """Run the project's own tests on a database server, without measuring coverage."""
    environment.check(project, *PYTEST, *arguments, TEST_DATABASE_URL=url)
