"""Changes of OpenAPI documents: which of them break clients."""

from typing import Any

import pytest
from fastapi import FastAPI

from scripts.openapi_changes import compare
from scripts.openapi_patterns import widens

Schema = dict[str, Any]

STRING = {"type": "string"}
INTEGER = {"type": "integer"}
NULL = {"type": "null"}
PATTERN = "^-?(id|title)(,-?(id|title))*$"


def operation(**parts: Any) -> dict[str, Any]:
    """Return an operation that responds with 200."""
    return {"operationId": "act", "responses": {"200": {}}} | parts


def document(path: str = "/rows", method: str = "post", **parts: Any) -> dict[str, Any]:
    """Return a document with one operation."""
    return {"paths": {path: {method: operation(**parts)}}}


def content(schema: Any, media_type: str = "application/json") -> dict[str, Any]:
    """Return a body."""
    return {"content": {media_type: {"schema": schema}}}


def fields(*required: str, **properties: Any) -> Schema:
    """Return the schema of an object."""
    return {"type": "object", "properties": properties, "required": list(required)}


def breaks(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return the changes that break clients, without the operation."""
    prefix = "POST /rows "
    return [
        f"{change.where}: {change.text}".removeprefix(prefix)
        for change in compare(old, new)
        if change.breaking
    ]


def in_request(old: Any, new: Any) -> list[str]:
    """Return what breaks clients that send a body."""
    documents = (document(requestBody=content(schema)) for schema in (old, new))
    return [text.removeprefix("request body") for text in breaks(*documents)]


def in_response(old: Any, new: Any) -> list[str]:
    """Return what breaks clients that read a body."""
    documents = (document(responses={"200": content(schema)}) for schema in (old, new))
    return [text.removeprefix("response 200") for text in breaks(*documents)]


def with_parameter(**parts: Any) -> dict[str, Any]:
    """Return a document whose operation has a parameter."""
    return document(parameters=[{"name": "q", "in": "query", "schema": STRING} | parts])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (document(), {"paths": {}}, ["POST /rows: removed"]),
        (document(), document("/items"), ["POST /rows: moved to POST /items"]),
        (document(), document(method="put"), ["POST /rows: moved to PUT /rows"]),
        (document(), document("/items", operationId="other"), ["POST /rows: removed"]),
        (document("/a/{x}"), document("/a/{y}"), []),
        (document(), document(security=[{"bearer": []}]), ["POST /rows: now requires credentials"]),
        (document(), document(security=[{"bearer": []}, {}]), []),
        (document(security=[{"bearer": []}]), document(), []),
        (document(), document(responses={"201": {}}), ["POST /rows: status 200 → 201"]),
        (
            document(),
            document(responses={"200": {}, "409": {}}),
            ["POST /rows: can now answer 409"],
        ),
        (document(), document(responses={"200": {}, "422": {}, "503": {}}), []),
        (
            document(responses={"200": {}, "403": {}}),
            document(),
            ["POST /rows: no longer answers 403"],
        ),
        (document(responses={"200": {}, "409": {}}), document(), []),
        (
            document(responses={"200": {"headers": {"ETag": {}}}}),
            document(),
            ["response 200: no longer has the header ETag"],
        ),
        (with_parameter(), document(), ["POST /rows?q: removed"]),
        (document(), with_parameter(required=True), ["POST /rows?q: added, and required"]),
        (document(), with_parameter(), []),
        (with_parameter(), with_parameter(required=True), ["POST /rows?q: now required"]),
        (with_parameter(required=True), with_parameter(), []),
        (
            with_parameter(),
            with_parameter(schema=INTEGER),
            ["POST /rows?q: type string → integer in requests"],
        ),
        (document(requestBody=content(STRING)), document(), ["request body: removed"]),
        (document(), document(requestBody=content(STRING)), []),
        (
            document(),
            document(requestBody=content(STRING) | {"required": True}),
            ["request body: added, and required"],
        ),
        (
            document(requestBody=content(STRING)),
            document(requestBody=content(STRING) | {"required": True}),
            ["request body: now required"],
        ),
        (
            document(requestBody=content(STRING, "text/plain")),
            document(requestBody=content(STRING)),
            ["request body: content text/plain → application/json"],
        ),
    ],
)
def test_operations(old: dict[str, Any], new: dict[str, Any], expected: list[str]) -> None:
    assert breaks(old, new) == expected


def test_what_else_changes_in_a_moved_operation_is_found() -> None:
    old = document("/rows", requestBody=content(STRING))
    parameters = [{"name": "user", "in": "path", "required": True}]
    new = document("/{user}/rows", requestBody=content(INTEGER), parameters=parameters)
    assert breaks(old, new) == [
        "POST /rows: moved to POST /{user}/rows",
        "request body: type string → integer in requests",
    ]
    assert all(change.breaking for change in compare(old, new))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (fields(a=STRING), fields(), [".a: removed in requests"]),
        (fields(), fields(a=STRING), []),
        (fields(), fields("a", a=STRING), [".a: added, and required in requests"]),
        (fields(a=STRING), fields("a", a=STRING), [".a: now required in requests"]),
        (fields("a", a=STRING), fields(a=STRING), []),
        (STRING, INTEGER, [": type string → integer in requests"]),
        (INTEGER, {"type": "number"}, []),
        ({"type": "number"}, INTEGER, [": type number → integer in requests"]),
        ({"anyOf": [STRING, NULL]}, STRING, [": null is no longer accepted in requests"]),
        ({"type": ["string", "null"]}, STRING, [": null is no longer accepted in requests"]),
        (STRING, {"anyOf": [STRING, NULL]}, []),
        ({"anyOf": [STRING, INTEGER]}, STRING, [": type string or integer → string in requests"]),
        (STRING, {"anyOf": [INTEGER, STRING]}, []),
        (
            STRING,
            {"anyOf": [INTEGER, {**STRING, "maxLength": 5}]},
            [": maxLength none → 5 in requests"],
        ),
        (STRING, {**STRING, "format": "uuid"}, [": type string → string (uuid) in requests"]),
        ({**STRING, "format": "uuid"}, STRING, []),
        (STRING, {**STRING, "format": "password"}, []),
        ({"enum": ["a", "b"]}, {"enum": ["b", "c"]}, [": no longer accepts a in requests"]),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, []),
        (STRING, {**STRING, "enum": ["a"]}, [": only accepts a now in requests"]),
        ({**STRING, "enum": ["a"]}, STRING, []),
        ({"const": "a"}, {"const": "b"}, [": no longer accepts a in requests"]),
        ({**INTEGER, "maximum": 5.0}, {**INTEGER, "maximum": 4}, [": maximum 5.0 → 4 in requests"]),
        ({**INTEGER, "minimum": 1}, {**INTEGER, "minimum": 0}, []),
        (
            {**INTEGER, "minimum": 1},
            {**INTEGER, "exclusiveMinimum": 1},
            [": minimum 1 → 1 in requests"],
        ),
        ({**INTEGER, "exclusiveMinimum": 1}, {**INTEGER, "minimum": 1}, []),
        (STRING, {**STRING, "minLength": 1}, [": minLength none → 1 in requests"]),
        ({**STRING, "maxLength": 5}, STRING, []),
        ({**INTEGER, "multipleOf": 0.1}, {**INTEGER, "multipleOf": 0.01}, []),
        (
            {**INTEGER, "multipleOf": 0.01},
            {**INTEGER, "multipleOf": 0.1},
            [": must be a multiple of 0.1 in requests"],
        ),
        (STRING, {**STRING, "pattern": "^a$"}, [": pattern None → ^a$ in requests"]),
        (
            {**STRING, "pattern": PATTERN},
            {**STRING, "pattern": PATTERN.replace("|title", "")},
            [": no longer accepts title in requests"],
        ),
        (
            {"type": "array", "items": STRING},
            {"type": "array", "items": INTEGER},
            ["[]: type string → integer in requests"],
        ),
        ({"type": "array"}, {"type": "array", "maxItems": 9}, [": maxItems none → 9 in requests"]),
        (
            {"type": "array"},
            {"type": "array", "uniqueItems": True},
            [": items must be unique in requests"],
        ),
        (
            {"type": "object"},
            {"type": "object", "additionalProperties": False},
            [": any other fields are no longer accepted in requests"],
        ),
        (
            {"type": "object", "additionalProperties": STRING},
            {"type": "object", "additionalProperties": INTEGER},
            [".*: type string → integer in requests"],
        ),
        (fields(a=STRING), {}, []),
        ({}, STRING, [": type any → string in requests"]),
        (
            {"allOf": [fields(a=STRING), fields(b=STRING)]},
            fields(a=STRING),
            [".b: removed in requests"],
        ),
    ],
)
def test_requests(old: Schema, new: Schema, expected: list[str]) -> None:
    assert in_request(old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (fields(a=STRING), fields(), [".a: removed in responses"]),
        (fields(), fields("a", a=STRING), []),
        (fields("a", a=STRING), fields(a=STRING), [".a: can be absent in responses"]),
        (fields(a=STRING), fields("a", a=STRING), []),
        (STRING, INTEGER, [": type string → integer in responses"]),
        (INTEGER, {"type": "number"}, [": type integer → number in responses"]),
        ({"type": "number"}, INTEGER, []),
        (STRING, {"anyOf": [STRING, NULL]}, [": can now be null in responses"]),
        ({"anyOf": [STRING, NULL]}, STRING, []),
        ({**STRING, "format": "uuid"}, STRING, [": type string (uuid) → string in responses"]),
        (STRING, {**STRING, "format": "uuid"}, []),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, []),
        ({**STRING, "enum": ["a"]}, STRING, [": can be any string, no longer only a in responses"]),
        (STRING, {**STRING, "maxLength": 5}, []),
        ({**STRING, "maxLength": 5}, STRING, []),
        (
            {"type": "array", "items": STRING},
            {"type": "array", "items": {"anyOf": [STRING, NULL]}},
            ["[]: can now be null in responses"],
        ),
        (STRING, {}, [": type string → any in responses"]),
    ],
)
def test_responses(old: Schema, new: Schema, expected: list[str]) -> None:
    assert in_response(old, new) == expected


def test_compatible_changes_are_listed() -> None:
    old = document(responses={"200": content({"enum": ["a"]})})
    new = document(responses={"200": content({"enum": ["a", "b"]})})
    new["paths"]["/new"] = {"get": operation(operationId="list")}
    assert [(change.where, change.text, change.breaking) for change in compare(old, new)] == [
        ("GET /new", "added", False),
        ("POST /rows response 200", "can also be b in responses", False),
    ]


def test_named_schemas_are_followed_and_reported_once() -> None:
    def named(schema: Schema) -> dict[str, Any]:
        row = {"$ref": "#/components/schemas/Row"}
        found = document(responses={"200": content(row), "202": content(row)})
        found["paths"]["/rows"]["get"] = operation(
            operationId="list", responses={"200": content(row)}
        )
        return found | {"components": {"schemas": {"Row": schema}}}

    parent = {"anyOf": [{"$ref": "#/components/schemas/Row"}, NULL]}
    old, new = (named(fields(parent=parent, a=each)) for each in (STRING, INTEGER))
    assert breaks(old, new) == ["Row.a: type string → integer in responses"]


async def test_same_document_has_no_changes(app: FastAPI) -> None:
    assert compare(app.openapi(), app.openapi()) == []


@pytest.mark.parametrize(
    "schema",
    [
        *(None, 7, "text", [], True, False),
        *({"type": 7}, {"type": [[]]}, {"enum": 1}, {"properties": []}, {"required": 1}),
        *({"$ref": 1}, {"$ref": "#/components/schemas/Missing"}, {"anyOf": 1}, {"allOf": [1]}),
        *({"minimum": True}, {"maximum": float("nan")}, {"multipleOf": 0}, {"pattern": 1}),
        *({"format": {}}, {"items": True}, {"additionalProperties": 1}, {"properties": {"": None}}),
    ],
)
def test_unexpected_schemas_are_no_errors(schema: Any) -> None:
    for body in (in_request, in_response):
        assert body(schema, schema) == []
        body(schema, STRING)
        body(STRING, schema)


@pytest.mark.parametrize(
    "parts", [[], {"/": None}, {"/": {"get": 1}}, {"/": {"get": {"parameters": [1]}}}]
)
def test_unexpected_paths_are_no_errors(parts: Any) -> None:
    compare({"paths": parts}, document())
    compare(document(), {"paths": parts})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("^a$", "^a$", True),
        ("^a$", "^b$", False),
        (PATTERN, PATTERN.replace("id", "id|due"), True),
        (PATTERN.replace("id", "id|due"), PATTERN, False),
        ("^[0-9]{1,3}$", "^[0-9]{1,4}$", True),
        ("^[0-9]{1,3}$", "^[0-9]{1,2}$", False),
        ("^[0-9]{1,3}$", "^[0-9]{2,3}$", False),
        ("^[0-9]{3}$", "^[0-9]{4}$", False),
        (r"^[^\x00]*[^\s\x00][^\x00]*$", r"^[^\x00]*$", True),
        (r"^[^\x00]*$", r"^[^\x00]*[^\s\x00][^\x00]*$", False),
        ("^a*$", r"^[^\x00]*$", False),
    ],
)
def test_patterns(old: str, new: str, expected: bool) -> None:
    assert widens(old, new) is expected
