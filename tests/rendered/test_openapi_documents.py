"""The OpenAPI document of each cell: validity, names, errors and examples."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.support.cells import CELLS
from tests.support.environment import Environment

Document = dict[str, Any]
# Prints the document without a database or a server.
PRINT = "import json; from app.main import app; print(json.dumps(app.openapi()))"
SECRETS = {"local": "JWT_SECRET_KEY", "external": "BETTER_AUTH_SECRET"}

MEDIA_TYPES = {"problem": "application/problem+json", "envelope": "application/json"}
MEMBERS = {
    "problem": {"type", "title", "status", "detail", "error_code", "timestamp", "errors"},
    "envelope": {"error"},
}
VERBS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document(cell: str, project: Path, environment: Environment) -> Document:
    """The OpenAPI document of a cell's project."""
    secret = SECRETS[CELLS[cell].get("auth", "local")]
    printed = environment.check(
        project, "python", "-c", PRINT, **{secret: "the secret of a test, and of nothing else"}
    )
    loaded: Document = json.loads(printed.splitlines()[-1])
    return loaded


def operations(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the operations of a document with their names."""
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            assert verb in VERBS, (path, verb)
            yield f"{verb.upper()} {path}", operation


def test_document_is_valid(document: Document) -> None:
    assert document["openapi"].startswith("3.1")
    found = [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()]
    assert found == []


def test_operation_ids_are_snake_case_and_unique(document: Document) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert [name for name in ids if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)] == []
    assert sorted(set(ids)) == sorted(ids)


def test_schema_names_are_pascal_case(document: Document) -> None:
    names = document["components"]["schemas"]
    assert [name for name in names if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)] == []


def inline_choices(schema: Any, place: str) -> Iterator[str]:  # noqa: ANN401
    """Yield the places in a part of a document that list choices."""
    if isinstance(schema, dict):
        if isinstance(schema.get("enum"), list):
            yield place
        for key, value in schema.items():
            if key not in {"examples", "example", "default"}:
                yield from inline_choices(value, f"{place}/{key}")
    elif isinstance(schema, list):
        for number, value in enumerate(schema):
            yield from inline_choices(value, f"{place}/{number}")


def test_choices_are_in_named_schemas(document: Document) -> None:
    """Client generators create a type for each list of choices, which needs a name."""
    schemas = document["components"]["schemas"]
    named = {f"/components/schemas/{name}" for name in schemas}
    assert set(inline_choices(document, "")) <= named
    lists = [tuple(schema["enum"]) for schema in schemas.values() if "enum" in schema]
    assert all(lists)


def test_no_field_is_write_only(document: Document) -> None:
    """Client generators omit `writeOnly` fields even from requests."""
    assert "writeOnly" not in json.dumps(document)


def test_all_fields_of_responses_are_required(document: Document) -> None:
    """Error bodies are not checked: their `errors` are present only for invalid fields."""
    schemas = document["components"]["schemas"]
    responses = [name for name in schemas if re.search(r"(Read|Page|Result|Stats)$", name)]
    responses += [name for name in ("Tokens", "Health", "Readiness", "Message") if name in schemas]
    assert responses
    for name in responses:
        schema = schemas[name]
        assert set(schema.get("required", [])) == schema["properties"].keys(), name


def test_errors_have_the_selected_format(document: Document, cell: str) -> None:
    form = CELLS[cell].get("error_format", "problem")
    body = document["components"]["schemas"]["ErrorBody"]
    assert body["properties"].keys() == MEMBERS[form]
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if status >= "400":
                [(media_type, content)] = response["content"].items()
                assert media_type == MEDIA_TYPES[form], (name, status)
                assert content["schema"] == {"$ref": "#/components/schemas/ErrorBody"}, name
                assert MEMBERS[form] >= content["example"].keys(), (name, status)


def test_request_bodies_reject_unknown_fields(document: Document) -> None:
    schemas = document["components"]["schemas"]
    bodies = [name for name in schemas if re.search(r"(Create|Update|Ids)$", name)]
    assert bodies
    assert [name for name in bodies if schemas[name].get("additionalProperties") is not False] == []


def test_examples_match_their_schemas(document: Document) -> None:
    schemas = document["components"]["schemas"]
    shown = {name for name, schema in schemas.items() if "examples" in schema}
    assert {name for name in schemas if re.search(r"(?<!User)(Create|Update|Read)$", name)} <= shown
    for name in shown:
        # OpenAPI 3.1 uses JSON Schema 2020-12.
        schema = {**schemas[name], "components": document["components"]}
        validator = Draft202012Validator(schema, format_checker=FormatChecker())
        for example in schemas[name]["examples"]:
            assert [error.message for error in validator.iter_errors(example)] == [], name
