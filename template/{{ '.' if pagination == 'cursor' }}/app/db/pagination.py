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
from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, or_, tuple_

from app.db.filters import Condition, Shape, conditions, read_query
from app.db.prepared import built_once
from app.db.scope import Scope
from app.db.sorting import SortKey, sort_keys
from app.db.statements import Model, select_rows
from app.errors import ValidationFailed
from app.schemas.pages import Page, PageQuery

PageT = TypeVar("PageT", bound=Page[Any])

LIMIT = bindparam("_limit", type_=Integer())


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


def _decode(query: PageQuery, keys: Sequence[SortKey], model: Model) -> list[Any]:
    """Return the position of the cursor, which is empty for the first page."""
    if query.cursor is MISSING:
        return []
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


def _after_key(
    key: SortKey, position: ColumnElement[Any], *, is_null: bool
) -> ColumnElement[bool] | None:
    """Return the condition for rows whose key comes later; None after null, which is last."""
    if is_null:
        return None
    later = key.term < position if key.term_descending else key.term > position
    return or_(later, key.column.is_(None)) if key.column.nullable else later


def _after(keys: Sequence[SortKey], nulls: Sequence[bool]) -> ColumnElement[bool]:
    """Return the condition for the rows after a position in the order; `nulls` says where it is null."""
    position = [bindparam(f"_after_{n}", type_=key.term_type) for n, key in enumerate(keys)]
    directions = {key.term_descending for key in keys}
    if len(directions) == 1 and not any(key.column.nullable for key in keys):
        # A row comparison, which an index on the keys can answer.
        terms, values = tuple_(*(key.term for key in keys)), tuple_(*position)
        return terms < values if True in directions else terms > values
    alternatives = []
    for number, key in enumerate(keys):
        later = _after_key(key, position[number], is_null=nulls[number])
        if later is not None:
            earlier = zip(keys[:number], position, strict=False)
            same = [before.term.is_not_distinct_from(value) for before, value in earlier]
            alternatives.append(and_(*same, later))
    return or_(*alternatives)


@built_once
def _select_page(model: Model, shape: Shape, nulls: tuple[bool, ...]) -> Select[Any]:
    """Return the statement that selects a page: the first one, or the one after a position."""
    found = select_rows(model).where(*conditions(model, shape))
    keys = sort_keys(model, shape)
    if nulls:
        found = found.where(_after(keys, nulls))
    return found.order_by(*(key.clause() for key in keys)).limit(LIMIT)


async def paginate(
    scope: Scope,
    model: Model,
    query: PageQuery,
    page_type: type[PageT],
    extra: Condition | None = None,
) -> PageT:
    """Fetch the page after the cursor, of the rows in scope."""
    shape, values = read_query(query, extra)
    keys = sort_keys(model, shape)
    position = _decode(query, keys, model)
    values["_limit"] = query.limit + 1
    for number, value in enumerate(position):
        values[f"_after_{number}"] = keys[number].term_of(value)
    nulls = tuple(value is None for value in position)
    rows = await scope.execute(_select_page(model, shape, nulls), values)
    page = rows[: query.limit]
    next_cursor = _encode(query, keys, page[-1]) if len(rows) > query.limit else None
    return page_type.model_validate({"items": page, "next_cursor": next_cursor})
