"""Slices of lists, by limit and offset."""

from pydantic import Field

from app.schemas.lists import ListQuery

MAX_LIMIT = 1000
MAX_OFFSET = 2**31 - 1


class PageQuery(ListQuery):
    """The query of a list, and the slice to return."""

    limit: int = Field(default=100, ge=1, le=MAX_LIMIT, description="Maximum number of items.")
    offset: int = Field(default=0, ge=0, le=MAX_OFFSET, description="Number of items to skip.")
