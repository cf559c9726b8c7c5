"""Pages of lists: numbered, with totals."""

from typing import Generic, TypeVar

from pydantic import BaseModel, Field

from app.schemas.lists import ListQuery

MAX_PAGE = 1_000_000_000
MAX_PAGE_SIZE = 100

T = TypeVar("T")


class PageQuery(ListQuery):
    """The query of a list, and the page to return."""

    page: int = Field(default=1, ge=1, le=MAX_PAGE, description="Number of the page, from 1.")
    page_size: int = Field(default=20, ge=1, le=MAX_PAGE_SIZE, description="Items per page.")


class Pagination(BaseModel):
    """Position of this page, and totals."""

    total: int = Field(description="Number of items on all pages.")
    page: int = Field(description="Number of this page, from 1.")
    page_size: int = Field(description="Maximum number of items on a page.")
    total_pages: int = Field(description="Number of pages.")
    has_previous: bool = Field(description="Whether there is a page before this one.")
    has_next: bool = Field(description="Whether there is a page after this one.")


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T] = Field(description="Items of this page.")
    pagination: Pagination = Field(description="Position of this page, and totals.")
