"""Statistics of a resource that can be completed."""

from pydantic import BaseModel, Field


class CompletionStats(BaseModel):
    """Numbers of completed and pending rows."""

    total: int = Field(description="Number of rows.")
    completed: int = Field(description="Number of completed rows.")
    pending: int = Field(description="Number of rows that are not completed.")
    completion_rate: float = Field(
        description="Share of completed rows, from 0 to 1; 0 if there are no rows."
    )
