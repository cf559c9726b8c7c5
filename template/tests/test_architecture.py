"""Row-level access, read from the code itself; the layers are contracts in pyproject.toml.

A route asks for a scope, and a service takes it first: only `app.db` builds statements, and each of
them goes through the scope, which adds the owner.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

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
import sqlalchemy
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


def routers(tree: ast.Module) -> Iterator[ast.Call]:
    """Find the routers that a module creates."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("APIRouter"):
            yield node


def is_protected(router: ast.Call) -> bool:
    """Whether every route of a router requires a user, also those that are added later."""
    dependencies = [k.value for k in router.keywords if k.arg == "dependencies"]
    return any("Depends(current_user)" in ast.unparse(value) for value in dependencies)


@pytest.mark.parametrize("layer", ["routers", "services"])
def test_nothing_bypasses_the_scope(layer: str) -> None:
    for path in resources(layer):
        assert bypasses(parsed(path)) == [], path


@pytest.mark.parametrize(
    "code",
    [
        "query = Anything.__table__",
        "await scope.database.autocommit()",
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
        created = list(routers(parsed(path)))
        assert created, path
        assert all(map(is_protected, created)), path


@pytest.mark.parametrize(
    "code",
    [
        'APIRouter(prefix="/x")',
        "fastapi.APIRouter(dependencies=[])",
        "APIRouter(dependencies=[Depends(somebody)])",
        "APIRouter(dependencies=[Depends(current_user_id)])",
        "APIRouter(dependencies=[current_user])",
        'APIRouter(prefix="/x", responses=responses(401))',
    ],
)
def test_unprotected_routers_are_found(code: str) -> None:
    assert [is_protected(router) for router in routers(ast.parse(code))] == [False]


async def test_routes_of_resources_require_a_token(app: FastAPI) -> None:
    for path, operations in app.openapi()["paths"].items():
        if path.startswith(API_PREFIX) and not path.startswith(f"{API_PREFIX}/auth/"):
            assert all("security" in operation for operation in operations.values()), path


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
