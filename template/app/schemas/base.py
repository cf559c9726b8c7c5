"""What the bodies of requests have in common."""

from pydantic import BaseModel, ConfigDict


class WriteSchema(BaseModel):
    """A body that writes: fields that it does not know are refused."""

    model_config = ConfigDict(extra="forbid")
