"""Row-level access, read from the code itself; the layers are contracts in pyproject.toml.

A route asks for a scope, and a service takes it first: only `app.db` builds statements, and each of
them goes through the scope, which adds the owner.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from app import API_PREFIX

APP = Path("app")

# Modules that are not about a resource. Users log in before they have a scope.
OTHERS = {"__init__", "auth", "health"}
# Attributes that lead around the scope.
AROUND = {"__table__", "database", "connection", "metadata"}

# Imports all but `app.main`, which starts the app, and prints the state of SQLAlchemy's events and of
# logging before and after.
IMPORT_ALL = """
import importlib, logging, pkgutil
import sentry_sdk, sqlalchemy
import app

def state():
    engine = sqlalchemy.create_engine("sqlite://")
    listeners = [
        (name, listener.__qualname__)
        for target in (engine, engine.pool, engine.dialect)
        for name in sorted(target.dispatch._event_names)
        for listener in getattr(target.dispatch, name)
    ]
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    named = [x for x in loggers if isinstance(x, logging.Logger) and (x.handlers or x.level)]
    return listeners, [(x.name, x.level, x.handlers, x.filters) for x in named]

print(state())
for module in pkgutil.walk_packages(app.__path__, "app."):
    if module.name != "app.main":
        importlib.import_module(module.name)
print(state())
"""


def parsed(path: Path) -> ast.Module:
    """Parse a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def resources(layer: str) -> list[Path]:
    """Return the files of a layer that are about a resource."""
    found = [path for path in sorted((APP / layer).rglob("*.py")) if path.stem not in OTHERS]
    assert found
    return found


def bypasses(tree: ast.Module) -> list[str]:
    """Name the attributes that a module uses to go around the scope."""
    used = (node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return [name for name in used if name in AROUND]


def unscoped(tree: ast.Module) -> list[str]:
    """Name the public functions whose first parameter is not a scope."""
    found = []
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name[0] == "_":
            continue
        parameters = [*node.args.posonlyargs, *node.args.args]
        first = ast.unparse(parameters[0]) if parameters else ""
        if first != "scope: Scope":
            found.append(node.name)
    return found


def is_protected(tree: ast.Module) -> bool:
    """Return whether every router requires a user, also for routes that are added later."""
    routers = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Router")
    ]
    wanted = re.compile(r"dependencies=\[(current_scope|own_scope)\b")
    return bool(routers) and all(map(wanted.search, routers))


def unprotected(tree: ast.Module) -> list[str]:
    """Name the routes whose function does not ask for a scope, which requires a user."""
    return [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and any("router." in ast.unparse(decorator) for decorator in node.decorator_list)
        and not {"scope: ScopeDep", "scope: OwnScopeDep"} & set(map(ast.unparse, node.args.args))
    ]


@pytest.mark.parametrize("layer", ["routers", "services"])
def test_nothing_bypasses_the_scope(layer: str) -> None:
    for path in resources(layer):
        assert bypasses(parsed(path)) == [], path


@pytest.mark.parametrize(
    "code",
    [
        "query = Anything.__table__",
        "await scope.database.execute(query)",
        "await scope.connection.execute(query)",
        "SQLModel.metadata.tables",
        "sa.select(models.Anything.__table__)",
        "models.Anything.metadata.drop_all(engine)",
        "async def f():\n    async with scope.database.transaction() as connection: ...",
        "replace(scope, connection=other.connection)",
    ],
)
def test_bypasses_are_found(code: str) -> None:
    assert bypasses(ast.parse(code))


def test_services_of_resources_take_a_scope_first() -> None:
    for path in resources("services"):
        assert unscoped(parsed(path)) == [], path


@pytest.mark.parametrize(
    "code",
    [
        "async def f(): ...",
        "async def f(data: Data, scope: Scope): ...",
        "def f(scope): ...",
        "async def f(scope: Scope | None): ...",
        "async def f(*, scope: Scope): ...",
        "async def f(user_id: Id, /, scope: Scope): ...",
        "async def f(request: Request, scope: Scope): ...",
        "def f(*scopes: Scope): ...",
    ],
)
def test_missing_scopes_are_found(code: str) -> None:
    assert unscoped(ast.parse(code)) == ["f"]


def test_routers_of_resources_require_a_user() -> None:
    for path in resources("routers"):
        assert is_protected(parsed(path)), path


@pytest.mark.parametrize(
    "code",
    [
        "pass",
        'PrefixRouter(prefix="/x")',
        "fastapi.APIRouter(dependencies=[])",
        "PrefixRouter(dependencies=[Depends(other_dependency)])",
        "PrefixRouter(dependencies=[current_scope_of_tests])",
        "PrefixRouter(dependencies=[current_scope])\nAPIRouter()",
    ],
)
def test_unprotected_routers_are_found(code: str) -> None:
    assert not is_protected(ast.parse(code))


def test_routes_of_resources_ask_for_a_scope() -> None:
    for path in resources("routers"):
        assert unprotected(parsed(path)) == [], path


@pytest.mark.parametrize(
    "parameters",
    ["", "data: Data", "scope: Scope", "scope", "user_id: CurrentUser", "other: ScopeDep"],
)
def test_unprotected_routes_are_found(parameters: str) -> None:
    code = f'@router.get("", responses=responses(422))\nasync def f({parameters}): ...'
    assert unprotected(ast.parse(code)) == ["f"]


async def test_routes_of_resources_require_a_token(app: FastAPI) -> None:
    for path, operations in app.openapi()["paths"].items():
        if path.startswith(API_PREFIX) and not path.startswith(f"{API_PREFIX}/auth/"):
            assert all("security" in operation for operation in operations.values()), path


def calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    """Return the function of a route or dependency, and those that it depends on."""
    if dependant.call is not None:
        yield dependant.call
    for dependency in dependant.dependencies:
        yield from calls(dependency)


def is_async(call: Callable[..., Any]) -> bool:
    """Return whether FastAPI calls a function on the event loop, and not in a thread."""
    return iscoroutinefunction(call) or iscoroutinefunction(type(call).__call__)


def test_routes_and_their_dependencies_run_on_the_event_loop(app: FastAPI) -> None:
    dependants = [
        route.dependant for route in iter_route_contexts(app.routes) if hasattr(route, "dependant")
    ]
    assert len(dependants) > 3
    threaded = [call for found in dependants for call in calls(found) if not is_async(call)]
    assert threaded == []


def test_functions_that_would_run_in_a_thread_are_found() -> None:
    def in_a_thread() -> None:
        """Do nothing."""

    assert not is_async(in_a_thread)


def test_a_request_for_a_row_solves_three_dependencies_at_most(app: FastAPI) -> None:
    for route in iter_route_contexts(app.routes):
        if hasattr(route, "dependant"):
            assert len(list(calls(route.dependant))) - 1 <= 3, route.path


def test_only_the_error_handlers_know_http_exception() -> None:
    for path in APP.rglob("*.py"):
        if path != APP / "http" / "error_handlers.py":
            assert "HTTPException" not in path.read_text(encoding="utf-8"), path


def test_imports_have_no_side_effects() -> None:
    command = [sys.executable, "-c", IMPORT_ALL]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    before, after = output.splitlines()
    assert "root" in before
    assert after == before
