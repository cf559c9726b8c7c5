"""Fetch slices of lists, by limit and offset."""

from typing import TypeVar

from pydantic import BaseModel
from sqlalchemy import ColumnElement

from app.db.filters import conditions
from app.db.scope import Model, Scope
from app.db.sorting import sort_keys
from app.schemas.pages import PageQuery

T = TypeVar("T", bound=BaseModel)


async def paginate(
    scope: Scope,
    model: Model,
    query: PageQuery,
    item_type: type[T],
    *extra: ColumnElement[bool],
) -> list[T]:
    """Fetch one slice of the rows in scope."""
    found = scope.select(model).where(*conditions(query, model), *extra)
    order = [key.clause() for key in sort_keys(query, model)]
    rows = await scope.execute(found.order_by(*order).limit(query.limit).offset(query.offset))
    return [item_type(**row) for row in rows]
