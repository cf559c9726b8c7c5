"""Pages of lists, by cursor."""

from typing import Annotated, Generic, TypeVar

from pydantic import MISSING, BaseModel, Field

from app.schemas.lists import ListQuery

MAX_LIMIT = 100
MAX_CURSOR_LENGTH = 20_000

CursorString = Annotated[str, Field(max_length=MAX_CURSOR_LENGTH, pattern=r"^[A-Za-z0-9_-]*$")]

T = TypeVar("T")


class PageQuery(ListQuery):
    """The query of a list, and the page to return."""

    limit: int = Field(default=20, ge=1, le=MAX_LIMIT, description="Maximum number of items.")
    cursor: CursorString | MISSING = Field(
        default=MISSING, description="`next_cursor` of the previous page."
    )


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T] = Field(description="Items of this page.")
    next_cursor: str | None = Field(description="Cursor of the next page; null on the last one.")
