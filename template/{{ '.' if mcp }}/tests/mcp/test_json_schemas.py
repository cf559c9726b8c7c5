"""JSON schemas of tools: short, and as strict as the values that they describe."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from app.mcp.json_schemas import arguments_schema, page_schema, result_schema, row_schema


class Shirt(BaseModel):
    """A shirt."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "x"}]})

    title: str = Field(description="Name of the shirt.")
    price: Annotated[float, Field(multiple_of=0.5)] | str = "1.50"
    length: int | None
    plain: str = ""


class Page(BaseModel):
    items: list[Shirt]
    more: bool


def test_arguments() -> None:
    assert arguments_schema(Shirt) == {
        "type": "object",
        "properties": {
            "title": {"type": "string", "description": "Name of the shirt."},
            "price": {"anyOf": [{"type": "string"}], "default": "1.50"},
            "length": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "plain": {"type": "string", "default": ""},
        },
        "required": ["title", "length"],
    }


def test_description_of_a_query_is_added() -> None:
    class Query(BaseModel):
        size: str

    Query.model_fields["size"].description = "Only this size."
    assert arguments_schema(Query)["properties"]["size"]["description"] == "Only this size."


def test_result() -> None:
    schema = result_schema(Shirt)
    assert schema["description"] == "A shirt."
    assert not {"title", "examples"} & schema.keys()
    assert schema["properties"]["title"] == {"type": "string", "description": "Name of the shirt."}


def test_row_of_another_version() -> None:
    properties = row_schema(Shirt)["properties"]
    assert properties["title"]["type"] == ["string", "null"]
    assert properties["length"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}


@pytest.mark.parametrize("page", [Page, list[Shirt]])
def test_page(page: Any) -> None:
    schema = page_schema(page, Shirt, ("title", "length"))
    assert schema["type"] == "object"
    assert "items" in schema["required"]
    assert schema["properties"]["items"] == {"type": "array", "items": {"$ref": "#/$defs/Shirt"}}
    short = schema["$defs"]["Shirt"]
    assert list(short["properties"]) == short["required"] == ["title", "length"]
    assert short["properties"]["title"]["type"] == ["string", "null"]
