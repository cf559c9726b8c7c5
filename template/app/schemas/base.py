"""Base classes of request and response bodies."""

from collections.abc import Callable, Mapping
from typing import cast

from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict


class WriteSchema(BaseModel):
    """A request body; unknown fields are rejected."""

    model_config = ConfigDict(extra="forbid")


class ReadSchema(BaseModel):
    """A response body; fields with defaults are documented as always present."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


def documentation(descriptions: Mapping[str, str], example: JsonDict) -> Callable[[JsonDict], None]:
    """Return a function that adds the descriptions of fields and an example to a JSON schema.

    Fields without a description there keep their own.
    """

    def add(schema: JsonDict) -> None:
        for name, field in cast("dict[str, JsonDict]", schema["properties"]).items():
            if name in descriptions:
                field["description"] = descriptions[name]
        schema["examples"] = [example]

    return add
