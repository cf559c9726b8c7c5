"""The lists of reserved names: they are complete, minimal and documented."""

import ast
import builtins
import json
import keyword
import os
import re
from typing import Any

import pytest

from tests.conftest import Render
from tests.support import checks
from tests.support.environment import Environment
from tests.support.hooks import module
from tests.support.presets import RICH
from tests.support.rendering import ROOT, sources

reserved = module("check/reserved")

# Names that are not reserved, because rendered files use qualified names.
FREE_FIELDS = """
bytes classmethod date datetime frozenset object set staticmethod time timedelta timezone tuple
"""
FREE_RESOURCES = """
alembic all annotated api api_error architecture async_client async_connection async_engine
async_iterator async_session asyncio at_least at_most auth_settings base_model bearer
big_integer body body_id bool boolean bulk bytes callable cast check_constraint classmethod
client cls collections column complete completion concurrency config_dict conflict connection
contextlib copy cors cursor data database dataclass date datetime dependencies dependency
depends dict docs document email email_str enum enumerate env equals error error_body errors
event_loop exact exact_number exact_route fast_api fastapi filter filters float forbidden
foreign_key frozenset functools future getattr hasattr hash header headers hook http_url httpx
index init int integer integrity is_null isinstance isolation issubclass iter itertools
json_dict json_response jwt len limit limits links list listing listings literal log logging
logs main makefile mapping math max metrics middleware migration migrations min mixin model
models monkeypatch never next not_blank not_found null number numeric object open openapi
optional os owner_scope page page_query pagination password passwords path path_scope pathlib
payload print pydantic pytest query query_decimal query_integer query_number range rate_limit
rate_limits re read_schema readme ready redoc reference references refresh register registry
repr request resource_base response restore reversed router routers row_id rows schema schemas
scope scope_dep scopes search search_text secrets security self sequence service services
sessions set setattr setting settings sorted sqlalchemy sqlmodel starlette static staticmethod
status storable str strict_bool string sum super sys table test tests text time timedelta
timezone token tokens true_type tuple type typing unauthorized unique_constraint url users
utc_datetime uuid uvicorn value values var_char vars write_schema zip
"""
FREE_PLURALS = """
alembic all any api app architecture asyncio auth_settings base bearer bool bytes callable
classmethod client cls collections concurrency conftest contextlib copy cors cursor data
database dataclass date datetime decimal dependencies dependency dict enum enumerate env error
error_body errors event_loop fastapi field filter filters float frozenset functools getattr
hasattr hash headers hook httpx id init int integrity isinstance isolation issubclass iter
itertools json jwt len limit limits linked links list listing listings log logging logs main
makefile math max middleware migration migrations min model models monkeypatch next object open
os owned owner_scope page pages pagination passwords path_scope pathlib payload print pydantic
pytest query range rate_limit rate_limits re readme registry repr request resource_base response
reversed router routers row rows schema schemas scope scopes secrets security self service
services session set setattr setting settings shared soft_deleted sorted sqlalchemy sqlmodel
starlette staticmethod str sum super sys test tests time timedelta timestamped timezone tuple
type types typing user uuid uvicorn value values vars zip
"""
# The maximum number of further resources.
MAX_FURTHER_RESOURCES = 30

ATTRIBUTES = """
import json, pydantic, sqlmodel
class Row(sqlmodel.SQLModel, table=True):
    id: int = sqlmodel.Field(primary_key=True)
names = {*dir(pydantic.BaseModel), *dir(sqlmodel.SQLModel), *dir(Row)}
print(json.dumps(sorted(name for name in names if not name.startswith("_"))))
"""
INSTALLED = """
import importlib.metadata, json, re
names = {d.metadata["Name"] for d in importlib.metadata.distributions()}
print(json.dumps(sorted(re.sub("[-_.]+", "-", name).lower() for name in names)))
"""


def is_reserved(name: str) -> bool:
    return name in reserved.FIELDS or bool(re.search(reserved.FIELD_PATTERN, name))


def test_attributes_of_models_are_reserved_for_fields(environment: Environment) -> None:
    names = json.loads(environment.check(ROOT, "python", "-c", ATTRIBUTES))
    assert "model_dump" in names
    assert "sqlmodel_update" in names
    assert [name for name in names if not is_reserved(name)] == []


def test_installed_packages_are_reserved_for_slugs(environment: Environment) -> None:
    names = json.loads(environment.check(ROOT, "python", "-c", INSTALLED))
    assert "fastapi" in names
    assert set(names) - set(module("write/names").DISTRIBUTIONS) == set()


def test_keywords_are_reserved() -> None:
    words = {word.lower() for word in keyword.kwlist}
    assert words <= set(reserved.FIELDS)
    assert words <= set(reserved.RESOURCES)
    assert words <= set(reserved.PLURALS)


@pytest.mark.parametrize(
    "name", ["status", "type", "match", "case", "order", "group", "select", "user", "email", "url"]
)
def test_common_field_names_are_not_reserved(name: str) -> None:
    assert not is_reserved(name)


def test_modules_of_the_layers_are_reserved_for_resources() -> None:
    """Files that depend on an answer count too."""
    layers = ("models", "schemas", "services", "routers")
    fixed = [
        path.name
        for path in sources("template")
        if path.parent.name in layers and path.parent.parent.name == "app"
    ]
    stems = {re.sub(r"{%.*?%}", "", name).split(".")[0] for name in fixed if "yield" not in name}
    assert "auth" in stems
    assert {stem for stem in stems if stem != "__init__"} <= set(reserved.RESOURCES)


@pytest.mark.parametrize("name", ["all-types", "graph", "strictest"])
def test_classes_that_models_import_are_reserved_for_resources(name: str, render: Render) -> None:
    """Only the classes of tables are named after their resource."""
    models = render(**RICH[name]) / "app" / "models"
    own = {path.stem for path in (models.parent / "services").glob("*.py")} - {
        "__init__",
        "auth",
        "auth_email",
    }
    imported = {
        alias.asname or alias.name
        for resource in own
        for node in ast.walk(ast.parse((models / f"{resource}.py").read_text("utf-8")))
        if isinstance(node, ast.ImportFrom | ast.Import)
        for alias in node.names
    }
    classes = {each for each in imported if re.match("[A-Z].*[a-z]", each)}
    assert {"Field", "Timestamped", "SoftDeleted"} & classes
    assert classes <= {module("write/names").pascal(each) for each in reserved.RESOURCES}


def test_schemas_are_reserved_for_enums() -> None:
    """The schema of an enum is named after a resource and a field."""
    pattern = re.compile(r"^class (\w+)\((?:ReadSchema|WriteSchema|BaseModel)\)", re.MULTILINE)
    classes = {
        name
        for path in sources("template")
        if path.parent.match("app/schemas") or path.name == "error_body.py"
        if "yield" not in path.name
        for name in pattern.findall(path.read_text(encoding="utf-8"))
    }
    several_words = {name for name in classes if re.search("[a-z][A-Z]", name)}
    # No resource is called user, and the others are not in the OpenAPI document.
    others = {"UserCreate", "UserUpdate", "UserRead", "PasswordReset"}
    others |= {"WriteSchema", "ReadSchema", "ListQuery"}
    assert several_words - others == set(reserved.SCHEMAS)


def test_builtin_classes_are_reserved_for_resources() -> None:
    pascal = module("write/names").pascal
    classes = {name for name in dir(builtins) if name[0].isupper()}
    assert {"KeyError", "Ellipsis"} <= classes
    # No name in snake_case results in one of these.
    capitals = {name for name in classes if re.search("[A-Z]{3}", name)}
    assert classes - capitals <= {pascal(name) for name in reserved.RESOURCES}


def test_documentation_lists_all_reserved_names() -> None:
    page = (ROOT / "docs" / "reserved-names.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    for title, names in (
        ("Fields", reserved.FIELDS),
        ("Resources", reserved.RESOURCES),
        ("Plurals", reserved.PLURALS),
    ):
        documented = re.search(r"```text\n(.*?)```", sections[title], re.DOTALL)
        assert documented
        assert documented[1].split() == sorted(set(names))


def projects() -> list[dict[str, Any]]:
    """Return answers that together use every name that is not reserved."""
    fields = dict.fromkeys(FREE_FIELDS.split(), "date") | {"title": "str", "completed": "bool"}
    names, plurals = FREE_RESOURCES.split(), FREE_PLURALS.split()
    # The plurals are shifted, so that none belongs to the name of another resource.
    pairs = zip(names, plurals[80:] + plurals[:80], strict=False)
    resources = [
        {"name": name, "plural": plural, "fields": {"title": "str"}} for name, plural in pairs
    ]
    plural = module("write/names").plural
    resources += [
        {"name": name, "plural": plural(name), "fields": {"title": "str"}}
        for name in names[len(plurals) :]
    ]
    parts = [
        resources[start : start + MAX_FURTHER_RESOURCES]
        for start in range(0, len(resources), MAX_FURTHER_RESOURCES)
    ]
    return [{"fields": fields, "more_resources": part} for part in parts]


# An ordinary run checks the first set; TEST_NAMES=all checks all, and runs own tests.
ALL = os.environ.get("TEST_NAMES") == "all"
SLICE = projects() if ALL else projects()[:1]


@pytest.mark.long
@pytest.mark.parametrize("answers", SLICE, ids=[f"names-{n}" for n, _ in enumerate(SLICE)])
def test_projects_with_unreserved_names_are_valid(
    answers: dict[str, Any], render: Render, environment: Environment
) -> None:
    project = render(**answers)
    environment.check(project, "ruff", "check", "--no-cache", "--quiet", ".")
    environment.check(project, "ruff", "format", "--no-cache", "--check", "--quiet", ".")
    checks.assert_types(environment, project)


@pytest.mark.long
@pytest.mark.skipif(not ALL, reason="TEST_NAMES=all runs it")
def test_project_with_unreserved_names_passes_its_own_tests(
    render: Render, environment: Environment
) -> None:
    names = ("document", "status", "page", "list", "response", "dict")
    relations = {f"a_{name}": {"type": "reference", "to": name} for name in names[:3]}
    fields = dict.fromkeys(FREE_FIELDS.split(), "date") | {"title": "str"} | relations
    others = [{"name": name, "fields": {"title": "str"}} for name in names]
    project = render(resource_name="table", fields=fields, more_resources=others)
    checks.assert_own_tests(environment, project, gated=False)
