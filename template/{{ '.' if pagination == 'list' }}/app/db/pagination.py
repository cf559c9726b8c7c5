"""Slices of lists, by limit and offset."""

from typing import TypeVar

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement

from app.db.listing import ListQuery, conditions, sort_keys
from app.db.scope import Model, Scope

MAX_LIMIT = 1000
MAX_OFFSET = 2**31 - 1

T = TypeVar("T", bound=BaseModel)


class PageQuery(ListQuery):
    """Which part of a list is wanted."""

    limit: int = Field(default=100, ge=1, le=MAX_LIMIT)
    offset: int = Field(default=0, ge=0, le=MAX_OFFSET)


async def paginate(
    scope: Scope,
    model: Model,
    query: PageQuery,
    item_type: type[T],
    *extra: ColumnElement[bool],
) -> list[T]:
    """Fetch the part that the query asks for, of the rows in scope."""
    found = scope.select(model).where(*conditions(query, model), *extra)
    order = [key.clause() for key in sort_keys(query, model)]
    rows = await scope.execute(found.order_by(*order).limit(query.limit).offset(query.offset))
    return [item_type(**row) for row in rows]
