"""The OpenAPI document is complete, and matches the app."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.http.error_body import MEDIA_TYPE, ErrorBody
from app.http.openapi import build_openapi
from app.schemas.base import ReadSchema, WriteSchema
from tests.support.error_shape import error_of
from tests.support.probe import ECHO, build_app

Operation = tuple[str, str, dict[str, Any]]
ERROR_SCHEMA = {"$ref": "#/components/schemas/ErrorBody"}


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    """The document as JSON."""
    return json.loads(json.dumps(app.openapi()))  # type: ignore[no-any-return]


@pytest.fixture
def operations(document: dict[str, Any]) -> list[Operation]:
    """Each operation with its path and method."""
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def references(node: Any) -> Iterator[str]:
    """Yield every reference in a node."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


async def test_is_served(client: AsyncClient, app: FastAPI, document: dict[str, Any]) -> None:
    assert (await client.get("/openapi.json")).json() == document
    assert document["openapi"].startswith("3.1")
    assert build_openapi(app) is build_openapi(app)


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_pages_load_the_document(client: AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 200
    assert "/openapi.json" in response.text


async def test_operation_ids_are_unique_names(operations: list[Operation]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations]
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in ids)
    assert len(set(ids)) == len(ids)


async def test_operations_are_described(operations: list[Operation]) -> None:
    for path, method, operation in operations:
        assert operation["tags"], (method, path)
        for text in (operation["summary"], operation["description"]):
            # Complete on its own page: no "Do the same …".
            assert re.fullmatch(r"(?!.*\bthe same\b)[A-Z].+", text, re.DOTALL), (method, path)
        assert operation["description"].endswith("."), (method, path)


async def test_parameters_are_described(operations: list[Operation]) -> None:
    for path, method, operation in operations:
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (method, path, parameter["name"])


async def test_fields_are_described(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description") or "properties" not in schema, name
        for field, documented in schema.get("properties", {}).items():
            referred = document["components"]["schemas"].get(documented.get("$ref", "")[21:], {})
            assert documented.get("description") or referred.get("description"), (name, field)


async def test_errors_have_the_format_of_this_api(operations: list[Operation]) -> None:
    errors = [
        (status, response)
        for _, _, operation in operations
        for status, response in operation["responses"].items()
        if status >= "400"
    ]
    assert errors
    for status, response in errors:
        [(media_type, content)] = response["content"].items()
        assert media_type == MEDIA_TYPE
        assert content["schema"] == ERROR_SCHEMA
        ErrorBody.model_validate(content["example"])
        assert response["description"], status


async def test_successes_are_json(operations: list[Operation]) -> None:
    for _, _, operation in operations:
        successes = [s for s in operation["responses"] if s < "300"]
        assert len(successes) == 1
        content = operation["responses"][successes[0]].get("content", {})
        assert list(content) == ([] if successes == ["204"] else ["application/json"])


async def test_response_fields_are_required(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for schema in ReadSchema.__subclasses__():
        documented = schemas.get(schema.__name__)
        assert documented is None or documented["required"] == list(documented["properties"])
    assert schemas["Health"]["required"] == ["status"]


async def test_responses_and_bodies_use_the_same_components(document: dict[str, Any]) -> None:
    # Schemas of your own may have no counterparts, and are then not compared.
    schemas: dict[str, dict[str, Any]] = defaultdict(dict, document["components"]["schemas"])
    resources = [name.removesuffix("Create") for name in schemas if name.endswith("Create")]
    assert resources
    for resource in resources:
        read = schemas[f"{resource}Read"].get("properties", {})
        for verb in ("Create", "Update"):
            written = schemas[resource + verb].get("properties", {})
            for field in written.keys() & read.keys():
                # Named components, such as enums and objects, must be the same.
                shown = set(references(read[field]))
                assert set(references(written[field])) == shown, (resource, verb, field)


async def test_no_parameter_is_null(operations: list[Operation]) -> None:
    for path, method, operation in operations:
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            types = {part.get("type") for part in (schema, *schema.get("anyOf", []))}
            assert "null" not in types, (method, path, parameter["name"])


async def test_examples_are_valid() -> None:
    examples = [
        (schema, example)
        for schema in WriteSchema.__subclasses__()
        for example in schema.model_json_schema().get("examples", [])
    ]
    assert examples
    for schema, example in examples:
        schema.model_validate(example)


async def test_references_exist(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    found = set(references(document))
    assert found <= {f"#/components/schemas/{name}" for name in schemas}
    assert not {"HTTPValidationError", "ValidationError"} & set(schemas)


async def test_errors_of_the_framework_are_not_documented(app: FastAPI) -> None:
    document = build_app(app).openapi()
    assert "422" not in document["paths"][ECHO]["post"]["responses"]
    assert "ValidationError" not in str(document)


async def test_operations_with_a_body_document_413_and_422(operations: list[Operation]) -> None:
    for path, method, operation in operations:
        if "requestBody" in operation:
            assert {"413", "422"} <= set(operation["responses"]), (method, path)


async def test_operations_with_an_id_document_404_and_422(operations: list[Operation]) -> None:
    for path, method, operation in operations:
        if re.search(r"\{(?!user_id\})\w+_id\}", path):
            assert {"404", "422"} <= set(operation["responses"]), (method, path)


async def test_operations_that_require_a_token_document_401(
    client: AsyncClient, operations: list[Operation]
) -> None:
    secured = [(p, m) for p, m, operation in operations if "security" in operation]
    assert secured
    for path, method, operation in operations:
        if "security" not in operation:
            continue
        assert "401" in operation["responses"], (method, path)
        response = await client.request(method, re.sub(r"\{\w+\}", "1", path))
        assert error_of(response, 401, "UNAUTHORIZED") == {}, (method, path)
        assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_other_operations_require_no_token(
    client: AsyncClient, operations: list[Operation]
) -> None:
    for path, method, operation in operations:
        if "security" not in operation and "parameters" not in operation:
            response = await client.request(method, path)
            assert str(response.status_code) in operation["responses"], (method, path)


def test_query_parameters_are_documented(app: FastAPI) -> None:
    parameters = [
        parameter
        for item in app.openapi()["paths"].values()
        for operation in item.values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query"
    ]
    assert {each["required"] for each in parameters if each["name"] == "sort"} == {False}
    for schema in (each["schema"] for each in parameters):
        assert ("title" in schema) is ("$ref" not in schema), schema
