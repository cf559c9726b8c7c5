"""The OpenAPI document of each cell: valid, of clean names, with errors of one format."""

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
# No database, no server: the document as the app builds it.
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
    """The document of a cell's project."""
    secret = SECRETS[CELLS[cell].get("auth", "local")]
    printed = environment.check(
        project, "python", "-c", PRINT, **{secret: "the secret of a test, and of nothing else"}
    )
    loaded: Document = json.loads(printed.splitlines()[-1])
    return loaded


def operations(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """The operations of a document, each with its name."""
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            assert verb in VERBS, (path, verb)
            yield f"{verb.upper()} {path}", operation


def test_is_valid(document: Document) -> None:
    assert document["openapi"].startswith("3.1")
    found = [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()]
    assert found == []


def test_operation_ids_are_clean_and_unique(document: Document) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert [name for name in ids if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)] == []
    assert sorted(set(ids)) == sorted(ids)


def test_schemas_have_clean_names(document: Document) -> None:
    names = document["components"]["schemas"]
    assert [name for name in names if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)] == []


def inline_choices(schema: Any, place: str) -> Iterator[str]:  # noqa: ANN401
    """The places below one of a document that list choices themselves."""
    if isinstance(schema, dict):
        if isinstance(schema.get("enum"), list):
            yield place
        for key, value in schema.items():
            if key not in {"examples", "example", "default"}:
                yield from inline_choices(value, f"{place}/{key}")
    elif isinstance(schema, list):
        for number, value in enumerate(schema):
            yield from inline_choices(value, f"{place}/{number}")


def test_choices_are_listed_once(document: Document) -> None:
    """A generator of clients makes a type of each list of choices: it needs a name."""
    schemas = document["components"]["schemas"]
    named = {f"/components/schemas/{name}" for name in schemas}
    assert set(inline_choices(document, "")) <= named
    lists = [tuple(schema["enum"]) for schema in schemas.values() if "enum" in schema]
    assert all(lists)


def test_passwords_can_be_written(document: Document) -> None:
    """Generators leave what is `writeOnly` out of the types of requests too."""
    assert "writeOnly" not in json.dumps(document)


def test_responses_always_have_all_their_fields(document: Document) -> None:
    """But for errors, whose `errors` are there only when fields are wrong."""
    schemas = document["components"]["schemas"]
    answered = [name for name in schemas if re.search(r"(Read|Page|Result|Stats)$", name)]
    answered += [name for name in ("Tokens", "Health", "Readiness", "Message") if name in schemas]
    assert answered
    for name in answered:
        schema = schemas[name]
        assert set(schema.get("required", [])) == schema["properties"].keys(), name


def test_errors_have_the_format_that_was_chosen(document: Document, cell: str) -> None:
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


def test_bodies_of_requests_take_no_unknown_fields(document: Document) -> None:
    schemas = document["components"]["schemas"]
    bodies = [name for name in schemas if re.search(r"(Create|Update|Ids)$", name)]
    assert bodies
    assert [name for name in bodies if schemas[name].get("additionalProperties") is not False] == []


def test_examples_fit_their_schemas(document: Document) -> None:
    schemas = document["components"]["schemas"]
    shown = {name for name, schema in schemas.items() if "examples" in schema}
    assert {name for name in schemas if re.search(r"(?<!User)(Create|Update|Read)$", name)} <= shown
    for name in shown:
        # A schema of JSON Schema 2020-12, which OpenAPI 3.1 takes as it is.
        schema = {**schemas[name], "components": document["components"]}
        validator = Draft202012Validator(schema, format_checker=FormatChecker())
        for example in schemas[name]["examples"]:
            assert [error.message for error in validator.iter_errors(example)] == [], name
