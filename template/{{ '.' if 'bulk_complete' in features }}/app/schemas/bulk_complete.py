"""The result of completing many rows at once."""

from pydantic import Field

from app.schemas.base import ReadSchema
from app.schemas.types.ids import Id


class BulkCompleteResult(ReadSchema):
    """How many of the rows were completed, and which were not found."""

    updated_count: int = Field(description="Number of rows that were found and completed.")
    failed_ids: list[Id] = Field(description="Ids of the rows that were not found.")
