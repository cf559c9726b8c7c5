"""Statistics of a resource."""

from pydantic import BaseModel, Field


class Stats(BaseModel):
    """Number of rows."""

    total: int = Field(description="Number of rows.")
