"""What the bodies of requests have in common, and those of responses."""

from pydantic import BaseModel, ConfigDict


class WriteSchema(BaseModel):
    """A body that writes: fields that it does not know are refused."""

    model_config = ConfigDict(extra="forbid")


class ReadSchema(BaseModel):
    """A body that is answered: a field with a default is there as well, and documented so."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)
