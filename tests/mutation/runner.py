"""Defects in rendered projects, and whether these projects' own tests notice them."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coverage import CoverageData

from tests.mutation.mutants import Mutant, mutants
from tests.support.checks import PYTEST, gate
from tests.support.environment import Environment
from tests.support.presets import PRESETS, RICH

DRIVER = Path(__file__).parent / "worker.py"
# A run without end is stopped, and counts as noticed.
SECONDS = 240

# The answers of the projects, between which nearly all of the template is rendered: own users and
# pages; cursors, hidden rows, relations and 403; tokens of a service, paths and bare lists;
# relations that are deleted, and 404.
PROJECTS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "strictest": RICH["strictest"],
    "fastapi-sqlmodel-generator": PRESETS["fastapi-sqlmodel-generator"],
    "graph": RICH["graph"],
}

# What is mutated, by what it is for; and where, so that no file is mutated twice.
MUTATED = {
    "services": ("services/*", "links", "completion", "stats", "search", "status"),
    "scope": ("scope", "path_scope"),
    "auth": (
        *("services/auth", "auth", "bearer", "sessions", "tokens", "keys", "passwords"),
        *("rate_limits", "signing_secret", "auth_settings"),
    ),
    "pagination": ("pagination", "listing"),
    "errors": ("integrity",),
}
EVERYTHING = tuple(dict.fromkeys(module for modules in MUTATED.values() for module in modules))
MUTATED_IN = {
    "defaults": EVERYTHING,
    "strictest": ("services/[!a]*", "links", "stats", "scope", "path_scope", "pagination"),
    "fastapi-sqlmodel-generator": (
        *("scope", "auth", "tokens", "keys", "auth_settings", "pagination"),
    ),
    "graph": ("scope",),
}

RESOURCES = ("resources", "operations", "hiding", "relations")
AUTH = (
    *("test_tokens.py", "test_auth.py", "test_sessions.py", "test_keys.py", "test_passwords.py"),
    *("test_rate_limits.py", "test_auth_settings.py", "test_refusals.py"),
)
# Where a test of this module fails first, most likely.
LIKELY: dict[str, tuple[str, ...]] = {
    "links": ("relations",),
    "models/linked": ("relations",),
    "trees": ("relations",),
    "listing": ("test_pagination.py", "resources"),
    "path_scope": ("resources",),
    "integrity": ("test_integrity.py", "resources"),
    "middleware": ("test_middleware.py", "test_errors.py"),
    "errors": ("test_errors.py",),
    "error_body": ("test_error_body.py", "test_errors.py"),
    "database": ("test_database.py", "test_health.py"),
    "signing_secret": ("test_auth_settings.py", "test_settings.py"),
    "models/session": AUTH,
    "models/user": AUTH,
    "schemas/auth": AUTH,
    "schemas/base": ("resources", "test_auth.py"),
    "services/auth": AUTH,
    "routers/auth": AUTH,
    **dict.fromkeys(MUTATED["auth"][1:8], AUTH),
}


def group_of(file: str) -> str:
    """Return what a mutated file is for."""
    module = file.removeprefix("app/").removesuffix(".py")
    found = [group for group, modules in MUTATED.items() if module in modules]
    return (found or ["services"])[0]


def all_mutants(name: str, project: Path) -> dict[str, Mutant]:
    """Return the small changes of a project, by names that say where they are."""
    found = {}
    for pattern in MUTATED_IN[name]:
        for path in sorted((project / "app").glob(f"{pattern}.py")):
            file = str(path.relative_to(project))
            for mutant in mutants(file, path.read_text(encoding="utf-8")):
                found[f"{name} {mutant.key}"] = mutant
    return found


@dataclass(frozen=True)
class Run:
    """A defect to try: its name, the file that has it, on which lines, and the file's new text."""

    name: str
    file: str
    lines: tuple[int, int]
    text: str


# The tests that run each line: by the file of the app, and the line.
Coverage = dict[str, dict[int, set[str]]]


def coverage_of(environment: Environment, project: Path) -> Coverage:
    """Run all tests of a sound project, which pass, and note which lines each of them runs."""
    followed = ("--cov", "--cov-context=test", "--cov-report=", gate(project))
    environment.check(project, *PYTEST, *followed)
    data = CoverageData(basename=str(project / ".coverage"))
    data.read()
    found: Coverage = {}
    for path in data.measured_files():
        lines = data.contexts_by_lineno(path)
        found[str(Path(path).relative_to(project.resolve()))] = {
            line: {context.rpartition("|")[0] for context in contexts if context}
            for line, contexts in lines.items()
        }
    return found


def stages(project: Path, run: Run, coverage: Coverage) -> list[dict[str, Any]]:
    """Return the tests for a defect: first those that run its lines, then all others.

    They come in the order in which they should notice it. What is run once, when modules are
    imported, is a matter for all tests.
    """
    module = run.file.removeprefix("app/").removesuffix(".py")
    name = module.rpartition("/")[2]
    likely: tuple[str, ...]
    if module in LIKELY:
        likely = (f"test_{name}.py", *LIKELY[module])
    elif module.startswith(("services/", "routers/", "schemas/")):
        likely = (*(f"{folder}/test_{name}.py" for folder in RESOURCES), "relations")
    else:
        likely = (f"test_{name}.py", *RESOURCES)
    paths = sorted(str(path.relative_to(project)) for path in project.rglob("test_*.py"))
    ordered = sorted(
        paths,
        key=lambda path: next(
            (rank for rank, one in enumerate(likely) if path.startswith(f"tests/{one}")),
            len(likely),
        ),
    )
    by_line = coverage.get(run.file, {})
    first = {
        test for line in range(run.lines[0], run.lines[1] + 1) for test in by_line.get(line, ())
    }
    everything = {"files": ordered, "only": None, "without": sorted(first)}
    if not first:
        return [everything]
    files = [path for path in ordered if any(test.startswith(f"{path}::") for test in first)]
    return [{"files": files, "only": sorted(first), "without": []}, everything]


def outcomes(
    environment: Environment, project: Path, scratch: Path, runs: Iterable[Run], coverage: Coverage
) -> dict[str, dict[str, str]]:
    """Try defects in a copy of a project, and return what came of each."""
    copy = scratch / "project"
    shutil.copytree(project, copy)
    jobs = [
        {
            "name": run.name,
            "file": run.file,
            "text": run.text,
            "stages": stages(copy, run, coverage),
            "seconds": SECONDS,
        }
        for run in runs
    ]
    (scratch / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    printed = environment.check(copy, "python", str(DRIVER), str(scratch / "jobs.json"))
    return {found.pop("name"): found for found in json.loads(printed.strip().splitlines()[-1])}
