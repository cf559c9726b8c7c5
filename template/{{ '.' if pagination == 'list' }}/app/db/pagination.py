"""Fetch slices of lists, by limit and offset."""

from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter
from sqlalchemy import BigInteger, Integer, Select, bindparam

from app.db.filters import Condition, Shape, conditions, read_query
from app.db.prepared import built_once
from app.db.scope import Scope
from app.db.sorting import sort_keys
from app.db.statements import Model, select_rows
from app.schemas.pages import PageQuery

T = TypeVar("T", bound=BaseModel)

LIMIT = bindparam("_limit", type_=Integer())
OFFSET = bindparam("_offset", type_=BigInteger())


@built_once
def _select_slice(model: Model, shape: Shape) -> Select[Any]:
    """Return the statement that selects a slice."""
    found = select_rows(model).where(*conditions(model, shape))
    order = [key.clause() for key in sort_keys(model, shape)]
    return found.order_by(*order).limit(LIMIT).offset(OFFSET)


@cache
def _list_of(item_type: type[T]) -> TypeAdapter[list[T]]:
    return TypeAdapter(list[item_type])  # type: ignore[valid-type]


async def paginate(
    scope: Scope,
    model: Model,
    query: PageQuery,
    item_type: type[T],
    extra: Condition | None = None,
) -> list[T]:
    """Fetch one slice of the rows in scope."""
    shape, values = read_query(query, extra)
    values |= {"_limit": query.limit, "_offset": query.offset}
    rows = await scope.execute(_select_slice(model, shape), values)
    return _list_of(item_type).validate_python(rows)
