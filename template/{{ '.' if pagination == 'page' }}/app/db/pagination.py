"""Pages of lists: numbered, with a total."""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, func

from app.db.listing import ListQuery, conditions, sort_keys
from app.db.scope import Model, Scope

MAX_PAGE = 1_000_000_000
MAX_PAGE_SIZE = 100

T = TypeVar("T")
PageT = TypeVar("PageT", bound="Page[Any]")


class PageQuery(ListQuery):
    """Which page of a list is wanted."""

    page: int = Field(default=1, ge=1, le=MAX_PAGE)
    page_size: int = Field(default=20, ge=1, le=MAX_PAGE_SIZE)


class Pagination(BaseModel):
    """Where a page stands in its list."""

    total: int
    page: int
    page_size: int
    total_pages: int
    has_previous: bool
    has_next: bool


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    pagination: Pagination


async def paginate(
    scope: Scope,
    model: Model,
    query: PageQuery,
    page_type: type[PageT],
    *extra: ColumnElement[bool],
) -> PageT:
    """Fetch the page that the query asks for, of the rows in scope."""
    found = scope.select(model).where(*conditions(query, model), *extra)
    total_of = found.with_only_columns(func.count().label("total"), maintain_column_froms=True)
    [count] = await scope.execute(total_of)
    total: int = count["total"]
    order = [key.clause() for key in sort_keys(query, model)]
    offset = (query.page - 1) * query.page_size
    rows = await scope.execute(found.order_by(*order).limit(query.page_size).offset(offset))
    pagination = Pagination(
        total=total,
        page=query.page,
        page_size=query.page_size,
        total_pages=-(-total // query.page_size),
        has_previous=query.page > 1,
        has_next=offset + query.page_size < total,
    )
    return page_type.model_validate({"items": rows, "pagination": pagination})
