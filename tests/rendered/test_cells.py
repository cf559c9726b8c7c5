"""The rendered project of each cell of the matrix passes all checks and its own tests."""

import ast
import hashlib
import json
import os
import re
import shutil
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.conftest import PASSED
from tests.support import checks
from tests.support.agents import assert_agents_page
from tests.support.cells import BRACES, CELLS, STRENGTH
from tests.support.environment import CACHE, Environment, requirements
from tests.support.postgres import Postgres
from tests.support.presets import RICH
from tests.support.rendering import rendered_files, sources

# The packages of a rendered project.
OWN = {"app", "tests", "scripts", "migrations"}
# Code in pages, which has two blank lines between functions.
PYTHON = re.compile(r"```python\n.*?```", re.DOTALL)
ALL = STRENGTH > 2
# test_workflow.py runs the own tests of the default project, on both databases.
TESTED = [name for name in CELLS if name != "defaults"]
# In an ordinary run, each cell runs its own tests on one of the databases. These two run all of
# them, on SQLite, where the coverage is measured.
COMPLETE = TESTED if ALL else ["backend-builder", "fastapi-sqlmodel-generator"]
OTHERS = [name for name in TESTED if name not in COMPLETE]
ON_SQLITE = TESTED if ALL else [*COMPLETE, *OTHERS[::2]]
ON_POSTGRESQL = TESTED if ALL else OTHERS[1::2]
# Tests of what the answers hardly change: in an ordinary run, the other cells leave them out. Then
# their coverage cannot be measured.
HARDLY_CHANGED = (
    *("auth/test_passwords", "auth/test_rate_limits", "auth/test_weak_passwords"),
    *("db/test_database_", "db/test_invalid_database_urls", "db/test_outages", "db/test_pool"),
    *("db/test_sqlite_outages", "db/test_temporary_errors", "db/test_tracing"),
    *("http/test_metrics", "http/test_middleware", "http/test_request_limits", "http/test_sentry"),
    *("http/test_telemetry_settings", "http/test_tracing"),
    *("scripts/test_impact", "scripts/test_openapi_changes", "scripts/test_sql_locks"),
)
# Tests of how mails are sent, which takes seconds and no answer changes: in an ordinary run, only
# these sets have them, one on SQLite and one on PostgreSQL.
SENDING = tuple(f"mail/test_{name}" for name in ("outages", "processes", "sender", "settings"))
WITH_SENDING = {"strictest", "shared"}
# The coverage of the sets in tests/answers/ is measured only at night, because it takes longer than
# the tests.
GATED = TESTED if ALL else [name for name in COMPLETE if name not in RICH]


def left_out(cell: str) -> tuple[str, ...]:
    """Return the names of the tests that a cell leaves out."""
    if cell in COMPLETE:
        return ()
    return HARDLY_CHANGED if cell in WITH_SENDING else (*HARDLY_CHANGED, *SENDING)


def ignoring(project: Path, *names: str) -> list[str]:
    """Return the options that leave out modules of tests whose paths begin with the names."""
    return [
        f"--ignore={path.relative_to(project)}"
        for name in names
        for path in project.glob(f"tests/{name}*")
    ]


@pytest.fixture(scope="session")
def fingerprint(project: Path, environment: Environment) -> str:
    """A hash of everything that a check depends on: the project, the tools, and the check."""
    state = hashlib.sha256(environment.versions().encode())
    for path in rendered_files(project):
        if path.name != ".copier-answers.yml":  # It names the folder that it was rendered from.
            state.update(f"{path.relative_to(project)}\0".encode() + path.read_bytes() + b"\0")
    for path in (*sources("tests/support"), Path(__file__)):
        state.update(path.read_bytes() + b"\0")
    return state.hexdigest()


@pytest.fixture(autouse=True)
def skip_if_passed_before(request: pytest.FixtureRequest, fingerprint: str) -> Iterator[None]:
    """Skip a check that passed before with the same fingerprint, except in CI."""
    mark = CACHE / "passed" / f"{request.node.originalname}-{fingerprint}"
    if mark.exists() and "CI" not in os.environ:
        pytest.skip(
            "passed before with the same files, tools and checks (make clean removes the record)"
        )
    yield
    if request.node.stash.get(PASSED, False):
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()


def test_no_template_syntax_is_left(project: Path) -> None:
    left = []
    for name, text in checks.texts(project):
        if name == ".copier-answers.yml":
            continue  # It contains the answers in wrapped lines.
        for own in BRACES:
            text = text.replace(own, "")  # noqa: PLW2901
        allowed = checks.ALLOWED.get(name.split("/")[0])
        rest = allowed.sub("", text) if allowed else text
        left += [f"{name}: {line}" for line in rest.splitlines() if checks.SYNTAX.search(line)]
    assert left == []
    assert [name for name in map(str, rendered_files(project)) if checks.SYNTAX.search(name)] == []


def test_whitespace_is_clean(project: Path) -> None:
    errors = []
    for name, text in checks.texts(project):
        if text and (text.startswith("\n") or not text.endswith("\n") or text.endswith("\n\n")):
            errors.append(f"{name}: blank lines at the start or end, or no newline at the end")
        if name.endswith((".py", ".py.mako")):
            continue  # `ruff format` checks these.
        if "\n\n\n" in PYTHON.sub("…", text):
            errors.append(f"{name}: two blank lines in a row")
        errors += [
            f"{name}:{number}: trailing whitespace"
            for number, line in enumerate(text.split("\n"), 1)
            if line != line.rstrip()
        ]
    assert errors == []


def test_agents_page(project: Path) -> None:
    assert_agents_page(project)


def test_ruff(project: Path, environment: Environment) -> None:
    environment.check(project, "ruff", "format", "--check", "--diff", "--no-cache")
    environment.check(project, "ruff", "check", "--no-cache")


def test_mypy(project: Path, environment: Environment) -> None:
    config = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    assert config["tool"]["mypy"]["strict"] is True
    checks.assert_types(environment, project)


def test_import_contracts(project: Path, environment: Environment) -> None:
    environment.check(project, "lint-imports", "--no-cache", "--no-logo")


@pytest.mark.parametrize("cell", ["defaults"], indirect=True, scope="session")
def test_broken_import_contracts_are_detected(
    project: Path, environment: Environment, tmp_path: Path
) -> None:
    layers = "The layers import downwards only"
    services = "Services use the scope, and neither HTTP nor SQL"
    shutil.copy(project / "pyproject.toml", tmp_path)
    for module, line, contract in (
        ("models/row.py", "import app.schemas.base", layers),
        ("http/logs.py", "import app.db.database", layers),
        ("errors.py", "import app.http.logs", layers),
        ("schemas/base.py", "import fastapi", "Only HTTP code imports the web framework"),
        ("routers/health.py", "import app.db.scope", "Routers leave rows to services"),
        ("services/task.py", "import sqlalchemy", services),
        ("services/task.py", "import fastapi", services),
    ):
        shutil.copytree(project / "app", tmp_path / "app", dirs_exist_ok=True)
        with (tmp_path / "app" / module).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
        done = environment.run(tmp_path, "lint-imports", "--no-cache", "--no-logo")
        assert done.returncode == 1, module
        assert f"{contract} BROKEN" in done.stdout, module


def imports(project: Path) -> dict[str, set[str]]:
    """Return the top-level modules that a project imports, with the files that import them."""
    found = defaultdict(set)
    for path in project.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                found[name.split(".")[0]].add(str(path.relative_to(project)))
    return found


# Prints the modules that requirements install, with their dependencies, and the standard library.
PROVIDED = """
import importlib.metadata as metadata, json, sys
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name as normal

seen, queue = set(), [Requirement(entry) for entry in json.loads(sys.argv[1])]
while queue:
    wanted = queue.pop()
    key = (normal(wanted.name), *sorted(wanted.extras))
    if key in seen:
        continue
    seen.add(key)
    for entry in metadata.requires(wanted.name) or []:
        entry = Requirement(entry)
        extras = wanted.extras or {""}
        if not entry.marker or any(entry.marker.evaluate({"extra": extra}) for extra in extras):
            queue.append(entry)
names = {name for name, *_ in seen}
modules = metadata.packages_distributions().items()
provided = [module for module, by in modules if not names.isdisjoint(map(normal, by))]
print(json.dumps([*provided, *sys.stdlib_module_names]))
"""


def test_imports_are_required(project: Path, environment: Environment) -> None:
    """The shared environment would hide a missing requirement that other answers have."""
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    everything = requirements(pyproject)
    runtime = pyproject["project"]["dependencies"]
    # Modules that are imported only with a setting use these.
    extras = [*chain.from_iterable(pyproject["project"]["optional-dependencies"].values())]
    for folder, wanted in (("app", runtime + extras), ("migrations", runtime), (".", everything)):
        entries = json.dumps(sorted(wanted))
        known = json.loads(environment.check(project, "python", "-c", PROVIDED, entries))
        unknown = {
            module: sorted(files)
            for module, files in imports(project / folder).items()
            if module not in OWN.union(known)
        }
        assert unknown == {}, f"imported in {folder}, but not required"


def test_migrations_match_the_models(project: Path, environment: Environment) -> None:
    environment.check(project, "python", "-m", "scripts.migrations", "check")


@pytest.mark.parametrize("cell", ["strictest"], indirect=True, scope="session")
def test_tests_that_are_left_out_exist(project: Path) -> None:
    for name in (*HARDLY_CHANGED, *SENDING):
        assert ignoring(project, name), name
    for names in (ON_SQLITE, ON_POSTGRESQL):
        assert WITH_SENDING & set(names)


@pytest.mark.long
@pytest.mark.parametrize("cell", ON_SQLITE, indirect=True, scope="session")
def test_own_tests_on_sqlite(cell: str, project: Path, environment: Environment) -> None:
    options = ignoring(project, *left_out(cell))
    checks.assert_own_tests(environment, project, *options, gated=cell in GATED)


@pytest.mark.long
@pytest.mark.parametrize("cell", ON_POSTGRESQL, indirect=True, scope="session")
def test_own_tests_on_postgresql(
    cell: str, project: Path, environment: Environment, postgres: Postgres
) -> None:
    ignored = ignoring(project, *left_out(cell))
    with postgres.database() as url:
        checks.assert_own_tests_on(url, environment, project, *ignored)
