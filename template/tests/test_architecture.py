"""The layers, and what keeps the rows of users apart, read from the code itself.

routers → services → scope → database. A route asks for a scope; a service gets everything through
it; the scope alone builds statements, and puts the owner into each.
"""

import ast
import re
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest
from fastapi import FastAPI

from app import API_PREFIX

APP = Path("app")

# The one service without a scope: it is about those who have none yet, and about their own data.
USERS = APP / "services" / "auth.py"

# What each layer must not know.
WEB = ("fastapi", "starlette")
STORAGE = (
    "sqlalchemy",
    "sqlmodel",
    "app.db.database",
    "app.models",
    "app.db.listing",
    "app.db.integrity",
)
FORBIDDEN = {
    "routers": (*STORAGE, "app.db.scope", "app.db.pagination"),
    "services": (*WEB, "app.routers", "app.dependencies", "app.db.database", "app.db.integrity"),
    "schemas": (
        *WEB,
        "app.routers",
        "app.dependencies",
        "app.services",
        "app.db.scope",
        "app.db.database",
    ),
    "values": (
        *WEB,
        "app.routers",
        "app.services",
        "app.schemas",
        "app.db.scope",
        "app.db.database",
    ),
    "models": (
        *WEB,
        "app.routers",
        "app.services",
        "app.schemas",
        "app.db.scope",
        "app.db.database",
    ),
    "scope.py": (*WEB, "app.routers", "app.services", "app.schemas", "app.db.pagination"),
    "database.py": (
        *WEB,
        "app.routers",
        "app.services",
        "app.models",
        "app.db.scope",
        "app.settings",
    ),
    "errors.py": ("app.routers", "app.services", "app.models", "app.db.scope", "app.db.database"),
}

STATEMENTS = {"select", "insert", "update", "delete", "text", "table", "Table", "literal_column"}


def parsed(path: Path) -> ast.Module:
    """Parse a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def files(layer: str) -> list[Path]:
    """Return the files of a layer."""
    folder = APP / layer
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]


def resources(layer: str) -> list[Path]:
    """Return the files of a layer that are about a resource."""
    others = {"__init__", "auth", "health", "base"}
    return [path for path in files(layer) if path.stem not in others]


def imports(tree: ast.Module, package: str = "app") -> Iterator[str]:
    """Name what a module imports, in full."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{source.rstrip('.')}.{alias.name}" for alias in node.names)


def breaches(tree: ast.Module, layer: str) -> list[str]:
    """Name the imports that a layer must not have."""
    package = f"app.{layer}".removesuffix(".py")
    return [
        name
        for name in imports(tree, package)
        if any(f"{name}.".startswith(f"{known}.") for known in FORBIDDEN[layer])
        # Types of ids are no storage.
        and not re.fullmatch(r"app\.models\.row\.\w+", name)
    ]


def statements(tree: ast.Module) -> list[str]:
    """Name what a module uses to build statements, or to run some past the scope."""
    imported = [
        name
        for name in imports(tree)
        if name.startswith(("sqlalchemy", "sqlmodel"))
        and (name in {"sqlalchemy", "sqlmodel"} or name.rpartition(".")[2] in STATEMENTS | {"*"})
    ]
    used = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"__table__", "database", "metadata"}
    ]
    return imported + used


def unscoped(tree: ast.Module) -> list[str]:
    """Name the public functions whose first parameter is no scope."""
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
    """Find the routers that a module makes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("APIRouter"):
            yield node


def protects(router: ast.Call) -> bool:
    """Tell whether every route of a router needs a user, those that somebody adds later too."""
    dependencies = [k.value for k in router.keywords if k.arg == "dependencies"]
    return any("Depends(current_user)" in ast.unparse(value) for value in dependencies)


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_layers_point_one_way(layer: str) -> None:
    for path in files(layer):
        if path != USERS:
            assert breaches(parsed(path), layer) == [], path


@pytest.mark.parametrize(
    ("layer", "code"),
    [
        ("routers", "from sqlalchemy import select"),
        ("routers", "import sqlmodel"),
        ("routers", "from app.models.anything import Anything"),
        ("routers", "from app.db import scope"),
        ("services", "from fastapi import HTTPException"),
        ("services", "def f():\n    from app.db.database import Database"),
        ("services", "from ..database import Database"),
        ("schemas", "import app.services.anything"),
        ("models", "from app.schemas import anything"),
        ("database.py", "from app.db.scope import Scope"),
    ],
)
def test_layers_are_really_compared(layer: str, code: str) -> None:
    assert breaches(ast.parse(code), layer)


@pytest.mark.parametrize("layer", ["routers", "services"])
def test_only_the_scope_builds_statements(layer: str) -> None:
    for path in files(layer):
        if path not in {USERS, APP / "routers" / "auth.py", APP / "routers" / "health.py"}:
            assert statements(parsed(path)) == [], path


@pytest.mark.parametrize(
    "code",
    [
        "from sqlalchemy import select",
        "from sqlalchemy.sql.expression import text as t",
        "from sqlalchemy import *",
        "import sqlalchemy as sa",
        "from sqlmodel import delete",
        "query = Anything.__table__",
        "await scope.database.autocommit()",
    ],
)
def test_statements_are_really_found(code: str) -> None:
    assert statements(ast.parse(code))


def test_services_of_resources_take_a_scope_first() -> None:
    assert resources("services")
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
    ],
)
def test_missing_scopes_are_really_found(code: str) -> None:
    assert unscoped(ast.parse(code)) == ["f"]


def test_routers_of_resources_need_a_user() -> None:
    assert resources("routers")
    for path in resources("routers"):
        made = list(routers(parsed(path)))
        assert made, path
        assert all(map(protects, made)), path


@pytest.mark.parametrize(
    "code",
    [
        'APIRouter(prefix="/x")',
        "fastapi.APIRouter(dependencies=[])",
        "APIRouter(dependencies=[Depends(somebody)])",
    ],
)
def test_open_routers_are_really_found(code: str) -> None:
    assert [protects(router) for router in routers(ast.parse(code))] == [False]


async def test_routes_of_resources_need_a_token(app: FastAPI) -> None:
    for path, operations in app.openapi()["paths"].items():
        if path.startswith(API_PREFIX) and not path.startswith(f"{API_PREFIX}/auth/"):
            assert all("security" in operation for operation in operations.values()), path


def test_framework_errors_are_raised_nowhere() -> None:
    for path in files("."):
        if path != APP / "errors.py":
            assert not [name for name in imports(parsed(path)) if "HTTPException" in name], path
            assert "HTTPException" not in path.read_text(encoding="utf-8"), path
