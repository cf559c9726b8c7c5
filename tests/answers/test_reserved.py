"""The fixed lists of reserved names, against what they are there for, and as they are published."""

import ast
import builtins
import json
import keyword
import re

import pytest

from tests.conftest import Render
from tests.support.environment import Environment
from tests.support.hooks import module
from tests.support.presets import RICH
from tests.support.rendering import ROOT, sources

reserved = module("check/reserved")

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


def test_no_attribute_of_a_model_is_a_field(environment: Environment) -> None:
    names = json.loads(environment.check(ROOT, "python", "-c", ATTRIBUTES))
    assert "model_dump" in names
    assert "sqlmodel_update" in names
    assert [name for name in names if not is_reserved(name)] == []


def test_no_slug_is_a_package_of_the_project(environment: Environment) -> None:
    names = json.loads(environment.check(ROOT, "python", "-c", INSTALLED))
    assert "fastapi" in names
    assert set(names) - set(module("write/names").DISTRIBUTIONS) == set()


def test_no_keyword_is_a_name() -> None:
    words = {word.lower() for word in keyword.kwlist}
    assert words <= set(reserved.FIELDS)
    assert words <= set(reserved.RESOURCES)
    assert words <= set(reserved.PLURALS)


@pytest.mark.parametrize(
    "name", ["status", "type", "match", "case", "order", "group", "select", "user", "email", "url"]
)
def test_common_names_of_fields_are_free(name: str) -> None:
    assert not is_reserved(name)


def test_the_modules_beside_a_resource_are_no_resources() -> None:
    """Whatever the answers: a file whose name is switched by one counts too."""
    layers = ("models", "schemas", "services", "routers")
    fixed = [
        path.name
        for path in sources("template")
        if path.parent.name in layers and path.parent.parent.name == "app"
    ]
    stems = {re.sub(r"{%.*?%}", "", name).split(".")[0] for name in fixed if "yield" not in name}
    assert "auth" in stems
    assert {stem for stem in stems if stem != "__init__"} <= set(reserved.RESOURCES)


def test_no_resource_has_the_class_of_an_import() -> None:
    source = "".join(path.read_text("utf-8") for path in sorted((ROOT / "hooks").rglob("*.jinja")))
    blocks = re.findall(r"set IMPORTED = \[(.*?)\]", source, re.DOTALL)
    imported = set(re.findall(r"'(\w+)'", "".join(blocks)))
    pascal = module("write/names").pascal
    assert {"Page", "Literal"} <= imported
    # No name in snake_case gives these.
    assert imported - {pascal(name) for name in reserved.RESOURCES} <= {"UUID"}


@pytest.mark.parametrize("name", ["all-types", "graph", "strictest"])
def test_no_resource_has_the_class_that_its_files_import(name: str, render: Render) -> None:
    app = render(**RICH[name]) / "app"
    own = {path.stem for path in (app / "services").glob("*.py")} - {"__init__", "auth"}
    imported = {
        alias.name
        for layer in ("models", "schemas", "services", "routers")
        for resource in own
        for node in ast.walk(ast.parse((app / layer / f"{resource}.py").read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and str(node.module).rpartition(".")[2] not in own
        for alias in node.names
    }
    classes = {each for each in imported if re.match("[A-Z].*[a-z]", each)}
    assert {"Page", "WriteSchema", "RowId"} & classes
    # No name in snake_case gives the first.
    known = {module("write/names").pascal(each) for each in reserved.RESOURCES}
    assert classes - known <= {"APIRouter"}


def test_no_resource_has_the_class_of_a_builtin() -> None:
    pascal = module("write/names").pascal
    classes = {name for name in dir(builtins) if name[0].isupper()}
    assert {"KeyError", "Ellipsis"} <= classes
    # No name in snake_case gives these.
    capitals = {name for name in classes if re.search("[A-Z]{3}", name)}
    assert classes - capitals <= {pascal(name) for name in reserved.RESOURCES}


def test_every_list_is_published() -> None:
    page = (ROOT / "docs" / "reserved-names.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    for title, names in (
        ("Fields", reserved.FIELDS),
        ("Resources", reserved.RESOURCES),
        ("Plurals", reserved.PLURALS),
    ):
        published = re.search(r"```text\n(.*?)```", sections[title], re.DOTALL)
        assert published
        assert published[1].split() == sorted(set(names))
