"""JSON schemas of arguments and results, made from the schemas of the API."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

Json = dict[str, Any]

NULL = {"type": "null"}


class _Brief(GenerateJsonSchema):
    """Leaves out titles, which only repeat names, and examples: agents read all of a schema."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        """Return that no field needs a title."""
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Return the schema of a model."""
        found = super().model_schema(schema)
        found.pop("title", None)
        found.pop("examples", None)
        return found


def arguments_schema(model: type[BaseModel]) -> Json:
    """Return the schema of arguments."""
    schema = model.model_json_schema(schema_generator=_Brief)
    # The description of the tool says it.
    schema.pop("description", None)
    for name, field in schema.get("properties", {}).items():
        description = model.model_fields[name].description
        if description:
            field.setdefault("description", description)
        if "anyOf" in field:
            # Exact decimals are sent as strings: numbers have been rounded when they arrive here.
            field["anyOf"] = [option for option in field["anyOf"] if "multipleOf" not in option]
    return schema


def result_schema(result: Any) -> Json:
    """Return the schema of a result."""
    return TypeAdapter(result).json_schema(mode="serialization", schema_generator=_Brief)


def _or_null(field: Json) -> None:
    """Allow null as the value of a field."""
    if "$ref" in field:
        field["anyOf"] = [{"$ref": field.pop("$ref")}, NULL]
    elif "type" in field:
        field["type"] = [field["type"], "null"]


def _allow_stored(row: Json, definitions: Json) -> None:
    """Allow what another version of the app may have stored: null, and choices that it had.

    `ReadSchema` shows it as well, but clients of this protocol reject what a schema does not allow.
    """
    for field in row["properties"].values():
        _or_null(field)
    for definition in definitions.values():
        choices = definition.pop("enum", None) or [definition.pop("const", None)]
        if choices != [None]:
            definition["description"] = f"One of {', '.join(choices)}."


def row_schema(row: type[BaseModel]) -> Json:
    """Return the schema of a row."""
    schema = result_schema(row)
    _allow_stored(schema, schema.get("$defs", {}))
    return schema


def page_schema(page: Any, row: type[BaseModel], shown: Iterable[str]) -> Json:
    """Return the JSON schema of a page, whose items have only the fields that lists show."""
    schema = result_schema(page)
    definitions = schema.pop("$defs")
    if schema["type"] == "array":
        schema = {"type": "object", "properties": {"items": schema}, "required": ["items"]}
    short = definitions[row.__name__]
    short["properties"] = {name: short["properties"][name] for name in shown}
    short["required"] = list(shown)
    _allow_stored(short, definitions)
    return {**schema, "$defs": definitions}
