"""Fetch pages of lists: numbered, with totals."""

from typing import Any, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Integer, Select, bindparam, case, func, select

from app.db.filters import Condition, Shape, conditions, read_query
from app.db.prepared import built_once
from app.db.scope import Scope
from app.db.sorting import sort_keys
from app.db.statements import Model, select_rows
from app.schemas.pages import Page, PageQuery, Pagination

PageT = TypeVar("PageT", bound=Page[Any])

PAGE_SIZE = bindparam("_page_size", type_=Integer())
OFFSET = bindparam("_offset", type_=BigInteger())


def _count(rows: Any) -> ColumnElement[int]:
    return select(func.count()).select_from(rows).scalar_subquery()


def _total(model: Model, shape: Shape) -> ColumnElement[int]:
    found = select_rows(model).where(*conditions(model, shape))
    ids = found.with_only_columns(model.__table__.c.id, maintain_column_froms=True)
    return _count(ids.subquery())


@built_once
def _select_total(model: Model, shape: Shape) -> Select[Any]:
    """Return the statement that selects the total."""
    return select(_total(model, shape).label("_total"))


@built_once
def _select_page(model: Model, shape: Shape) -> Select[Any]:
    """Return the statement that selects a page.

    Each row of a full page has the total. That of another page follows from its rows, so that
    nothing is counted.
    """
    found = select_rows(model).where(*conditions(model, shape))
    keys = sort_keys(model, shape)
    rows = found.order_by(*(key.clause() for key in keys)).limit(PAGE_SIZE).offset(OFFSET)
    page = rows.cte("page")
    total = case((_count(page) == PAGE_SIZE, _total(model, shape)))
    order = [key.of(page).clause() for key in keys]
    return select(page, total.label("_total")).order_by(*order)


async def paginate(
    scope: Scope,
    model: Model,
    query: PageQuery,
    page_type: type[PageT],
    extra: Condition | None = None,
) -> PageT:
    """Fetch one page of the rows in scope."""
    shape, values = read_query(query, extra)
    offset = (query.page - 1) * query.page_size
    values |= {"_page_size": query.page_size, "_offset": offset}
    rows = await scope.execute(_select_page(model, shape), values)
    if len(rows) == query.page_size:
        total = rows[0]["_total"]
    elif rows or offset == 0:
        total = offset + len(rows)
    else:
        # Beyond the last page.
        [count] = await scope.execute(_select_total(model, shape), values)
        total = count["_total"]
    pagination = Pagination(
        total=total,
        page=query.page,
        page_size=query.page_size,
        total_pages=-(-total // query.page_size),
        has_previous=query.page > 1,
        has_next=offset + query.page_size < total,
    )
    return page_type.model_validate({"items": rows, "pagination": pagination})
