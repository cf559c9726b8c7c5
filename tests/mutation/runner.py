"""Run the own tests of rendered projects with defects."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from coverage import CoverageData

from tests.mutation.mutants import Mutant, mutants
from tests.support.checks import PYTEST, coverage_option
from tests.support.environment import Environment
from tests.support.presets import PRESETS, RICH

DRIVER = Path(__file__).parent / "worker.py"
# A run that takes longer is stopped, and counts as detected.
TIMEOUT_IN_SECONDS = 240

# Together, these projects render nearly all of the template: own users and numbered pages; cursors,
# soft delete, relations and 403; tokens of another service, the user in the path, limit and offset;
# relations without soft delete, and 404.
PROJECTS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "strictest": RICH["strictest"],
    "fastapi-sqlmodel-generator": PRESETS["fastapi-sqlmodel-generator"],
    "graph": RICH["graph"],
}

# The modules of app/ that are mutated, by subject.
MUTATED = {
    "services": (
        *("services/*", "db/completion*", "db/stats", "db/search"),
        *("db/links", "db/bulk_links"),
    ),
    "scope": (
        *("db/scope", "db/absence", "db/bulk", "db/bulk_complete", "db/references"),
        *(
            "db/bulk_references",
            "db/expansion",
            "db/restoring",
            "db/restricting",
            "db/statements",
            "models/scoped",
        ),
        *("models/owned", "models/shared", "models/soft_deleted", "auth/path", "db/prepared"),
    ),
    "auth": ("auth/*", "services/auth", "db/expired"),
    "limits": ("http/request_limits", "http/shared_storage", "http/addresses"),
    "pagination": ("db/pagination", "db/filters", "db/sorting", "http/query"),
    "errors": ("db/integrity",),
    "idempotency": ("idempotency", "db/idempotency"),
    "mcp": ("mcp/*", "mcp/tools/*"),
}
EVERYTHING = tuple(dict.fromkeys(module for modules in MUTATED.values() for module in modules))
# The modules to mutate in each project, so that no file is mutated twice.
MUTATED_IN = {
    "defaults": EVERYTHING,
    "strictest": (
        *("services/[!a]*", "db/stats", "db/links", "db/bulk_links", "db/pagination"),
        *("db/absence", "db/references", "db/bulk_references", "db/restoring"),
        *("models/shared", "models/soft_deleted", "auth/path", "idempotency", "db/idempotency"),
    ),
    "fastapi-sqlmodel-generator": (
        *("auth/current_user", "auth/tokens", "auth/keys", "auth/settings", "db/pagination"),
    ),
    "graph": ("db/restricting", "db/expansion", "mcp/*"),
}

# The tests that are run first for a module, because they probably detect its defects.
LIKELY: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("db/links", "db/bulk_links", "db/trees"), ("routers/relations/",)),
    **dict.fromkeys(("db/references", "db/bulk_references"), ("routers/relations/",)),
    "models/linked": ("routers/relations/",),
    **dict.fromkeys(("db/filters", "db/sorting"), ("db/test_filters_and_sorting.py", "routers/")),
    **dict.fromkeys(("db/database", "db/engine", "db/connections", "db/outages"), ("db/",)),
    "db/expired": ("auth/test_sessions.py", "mail/"),
    "db/statements": ("routers/test_isolation.py", "routers/", "auth/test_ended_sessions.py"),
    **dict.fromkeys(
        ("db/scope", "models/owned", "models/shared"), ("auth/test_ended_sessions.py", "routers/")
    ),
    "http/error_handlers": ("http/test_errors.py", "auth/test_ended_sessions.py", "http/"),
    "http/query": ("routers/test_list.py", "db/test_filters_and_sorting.py", "http/"),
    "http/metrics": ("http/test_metrics.py",),
    **dict.fromkeys(
        ("http/request_limits", "http/shared_storage", "http/addresses"),
        ("http/test_request_limits.py", "auth/test_rate_limits.py"),
    ),
    "http/tracing": ("http/test_tracing.py",),
    "db/tracing": ("db/test_tracing.py", "http/test_tracing.py"),
    "http/sentry": ("http/test_sentry.py",),
    "http/telemetry_settings": ("http/test_telemetry_settings.py",),
    "http/routing": ("routers/",),
    **dict.fromkeys(
        ("mcp/json_schemas", "mcp/resource_tools", "mcp/routes", "mcp/server", "mcp/tools/task"),
        ("mcp/",),
    ),
    "auth/path": ("routers/test_user_paths.py", "routers/"),
    "auth/signing_secret": ("auth/test_settings.py",),
    **dict.fromkeys(("models/user", "models/session"), ("auth/",)),
    **dict.fromkeys(("routers/auth", "schemas/auth", "services/auth"), ("auth/", "mail/")),
    "services/auth_email": ("mail/",),
}


def group_of(file: str) -> str:
    """Return the subject of a mutated file."""
    module = file.removeprefix("app/").removesuffix(".py")
    found = {
        pattern: group
        for group, patterns in MUTATED.items()
        for pattern in patterns
        if fnmatch(module, pattern)
    }
    # An exact name takes precedence over a wildcard.
    return found.get(module) or next(iter(found.values()))


def all_mutants(name: str, project: Path) -> dict[str, Mutant]:
    """Return the mutants of a project by their names."""
    found = {}
    for pattern in MUTATED_IN[name]:
        for path in sorted((project / "app").glob(f"{pattern}.py")):
            file = str(path.relative_to(project))
            for mutant in mutants(file, path.read_text(encoding="utf-8")):
                found[f"{name} {mutant.key}"] = mutant
    return found


@dataclass(frozen=True)
class Run:
    """A defect to test: its name, its file and lines, and the new text of the file."""

    name: str
    file: str
    lines: tuple[int, int]
    text: str


# The tests that execute each line, by file and line number.
Coverage = dict[str, dict[int, set[str]]]


def coverage_of(environment: Environment, project: Path) -> Coverage:
    """Run all tests of a project without defects, and return which tests execute which lines."""
    options = ("--cov", "--cov-context=test", "--cov-report=", coverage_option(project))
    environment.check(project, *PYTEST, *options)
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
    """Return the tests for a defect: first those that execute its lines, then all others.

    Files whose tests probably fail come first. For lines that are executed only at import, there is
    one stage with all tests.
    """
    module = run.file.removeprefix("app/").removesuffix(".py")
    folder, _, name = module.rpartition("/")
    others = (f"{folder}/",) if folder in {"auth", "http", "mail"} else ("routers/",)
    likely = (f"{folder}/test_{name}.py", *LIKELY.get(module, others))
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
    """Test defects in a copy of a project, and return the outcome of each."""
    copy = scratch / "project"
    shutil.copytree(project, copy)
    jobs = [
        {
            "name": run.name,
            "file": run.file,
            "text": run.text,
            "stages": stages(copy, run, coverage),
            "seconds": TIMEOUT_IN_SECONDS,
        }
        for run in runs
    ]
    (scratch / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    printed = environment.check(copy, "python", str(DRIVER), str(scratch / "jobs.json"))
    return {found.pop("name"): found for found in json.loads(printed.strip().splitlines()[-1])}
