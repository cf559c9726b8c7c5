"""Fetch pages of lists: numbered, with totals."""

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, func

from app.db.filters import conditions
from app.db.scope import Model, Scope
from app.db.sorting import sort_keys
from app.schemas.pages import Page, PageQuery, Pagination

PageT = TypeVar("PageT", bound=Page[Any])


async def paginate(
    scope: Scope,
    model: Model,
    query: PageQuery,
    page_type: type[PageT],
    *extra: ColumnElement[bool],
) -> PageT:
    """Fetch one page of the rows in scope."""
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
