"""Base classes of request and response bodies."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class WriteSchema(BaseModel):
    """A request body; unknown fields are rejected."""

    model_config = ConfigDict(extra="forbid")


class _OrNull:
    """Makes a field accept null, without a word in its JSON schema."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.nullable_schema(handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.NullableSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema["schema"])


class ReadSchema(BaseModel):
    """A response body; fields with defaults are documented as always present.

    A null that another version of the app has stored in a required field is shown: during a
    deployment, one version may require what the other does not.
    """

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Let every field accept null."""
        for field in cls.model_fields.values():
            field.metadata = [*field.metadata, _OrNull()]
        cls.model_rebuild(force=True)


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
