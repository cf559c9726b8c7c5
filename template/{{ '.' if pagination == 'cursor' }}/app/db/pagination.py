"""Fetch pages of lists by cursor: each page begins after the last row of the one before.

Rows that are inserted or deleted in between move no other row, and a deep page costs no more than
the first.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from pydantic import MISSING, BaseModel, TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, and_, or_, tuple_

from app.db.filters import conditions
from app.db.scope import Model, Scope
from app.db.sorting import SortKey, sort_keys
from app.errors import ValidationFailed
from app.schemas.pages import Page, PageQuery

PageT = TypeVar("PageT", bound=Page[Any])


class Cursor(BaseModel):
    """A position after a row: the row's values of the sort keys, and the list it is valid for."""

    list_id: str
    values: list[Any]


def _list_id(query: PageQuery) -> str:
    """Identify a list by its order and filters; cursors are valid for one list only."""
    shape = query.model_dump_json(exclude={"cursor", "limit"})
    return hashlib.sha256(shape.encode()).hexdigest()[:16]


def _encode(query: PageQuery, keys: Sequence[SortKey], row: Mapping[Any, Any]) -> str:
    values = [row[key.column.name] for key in keys]
    cursor = Cursor(list_id=_list_id(query), values=values).model_dump_json()
    return base64.urlsafe_b64encode(cursor.encode()).decode().rstrip("=")


def _read(model: Model, name: str, value: Any) -> Any:
    """Convert a value of a cursor to the type of its column."""
    annotation = cast("type[Any]", model.model_fields[name].annotation)
    return TypeAdapter(annotation).validate_python(value)


def _decode(query: PageQuery, keys: Sequence[SortKey], model: Model) -> list[Any] | None:
    if query.cursor is MISSING:
        return None
    try:
        padding = "=" * (-len(query.cursor) % 4)
        content = base64.urlsafe_b64decode(query.cursor + padding)
        cursor = Cursor.model_validate(json.loads(content))
        if cursor.list_id == _list_id(query):
            return [
                _read(model, key.column.name, value)
                for key, value in zip(keys, cursor.values, strict=True)
            ]
    except (ValueError, ValidationError, RecursionError) as error:
        raise ValidationFailed(errors={"cursor": "Invalid cursor."}) from error
    message = "This cursor belongs to a list with another order or other filters."
    raise ValidationFailed(errors={"cursor": message})


def _after_key(key: SortKey, value: Any) -> ColumnElement[bool] | None:
    """Return the condition for rows whose key comes later; None after null, which is last."""
    if value is None:
        return None
    later = key.term < key.term_of(value) if key.term_descending else key.term > key.term_of(value)
    return or_(later, key.column.is_(None)) if key.column.nullable else later


def _after(keys: Sequence[SortKey], values: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition for the rows after a position in the order."""
    directions = {key.term_descending for key in keys}
    if len(directions) == 1 and not any(key.column.nullable for key in keys):
        # A row comparison, which an index on the keys can answer.
        terms = tuple_(*(key.term for key in keys))
        position = tuple_(*(key.term_of(value) for key, value in zip(keys, values, strict=True)))
        return terms < position if True in directions else terms > position
    alternatives = []
    for number, key in enumerate(keys):
        later = _after_key(key, values[number])
        if later is not None:
            same = [
                earlier.term.is_not_distinct_from(earlier.term_of(value))
                for earlier, value in zip(keys[:number], values, strict=False)
            ]
            alternatives.append(and_(*same, later))
    return or_(*alternatives)


async def paginate(
    scope: Scope,
    model: Model,
    query: PageQuery,
    page_type: type[PageT],
    *extra: ColumnElement[bool],
) -> PageT:
    """Fetch the page after the cursor, of the rows in scope."""
    keys = sort_keys(query, model)
    position = _decode(query, keys, model)
    found = scope.select(model).where(*conditions(query, model), *extra)
    if position is not None:
        found = found.where(_after(keys, position))
    order = [key.clause() for key in keys]
    rows = await scope.execute(found.order_by(*order).limit(query.limit + 1))
    page = rows[: query.limit]
    next_cursor = _encode(query, keys, page[-1]) if len(rows) > query.limit else None
    return page_type.model_validate({"items": page, "next_cursor": next_cursor})
