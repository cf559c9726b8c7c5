"""Pages of lists by cursor: each page begins right behind the last row of the one before.

Rows that come or go in between move nothing, and a deep page costs no more than the first.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, TypeVar, cast

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic.json_schema import SkipJsonSchema
from sqlalchemy import ColumnElement, and_, or_, tuple_

from app.db.listing import ListQuery, SortKey, conditions, sort_keys
from app.db.scope import Model, Scope
from app.errors import ValidationFailed

MAX_LIMIT = 100
MAX_CURSOR_LENGTH = 20_000

CursorText = Annotated[str, Field(max_length=MAX_CURSOR_LENGTH, pattern=r"^[A-Za-z0-9_-]*$")]

T = TypeVar("T")
PageT = TypeVar("PageT", bound="Page[Any]")


class PageQuery(ListQuery):
    """Which page of a list is wanted."""

    limit: int = Field(default=20, ge=1, le=MAX_LIMIT)
    cursor: CursorText | SkipJsonSchema[None] = Field(default_factory=lambda: None)


class Page(BaseModel, Generic[T]):
    """One page of a list, and the way to the next."""

    items: list[T]
    next_cursor: str | None


class Cursor(BaseModel):
    """The place behind a row: its values of the sort keys, and the list that it belongs to."""

    list_id: str
    values: list[Any]


def _list_id(query: PageQuery) -> str:
    """Name a list by its order and filters; its cursors fit no other."""
    shape = query.model_dump_json(exclude={"cursor", "limit"}, exclude_unset=True)
    return hashlib.sha256(f"{query.sort}{shape}".encode()).hexdigest()[:16]


def _encode(query: PageQuery, keys: Sequence[SortKey], row: Mapping[Any, Any]) -> str:
    values = [row[key.column.name] for key in keys]
    cursor = Cursor(list_id=_list_id(query), values=values).model_dump_json()
    return base64.urlsafe_b64encode(cursor.encode()).decode().rstrip("=")


def _read(model: Model, name: str, value: Any) -> Any:
    """Return a value of a cursor as one of the column's."""
    annotation = cast("type[Any]", model.model_fields[name].annotation)
    return TypeAdapter(annotation).validate_python(value)


def _decode(query: PageQuery, keys: Sequence[SortKey], model: Model) -> list[Any] | None:
    if query.cursor is None:
        return None
    try:
        padding = "=" * (-len(query.cursor) % 4)
        text = base64.urlsafe_b64decode(query.cursor + padding)
        cursor = Cursor.model_validate(json.loads(text))
        values = [
            _read(model, key.column.name, value)
            for key, value in zip(keys, cursor.values, strict=True)
        ]
    except (ValueError, ValidationError, RecursionError) as error:
        raise ValidationFailed(errors={"cursor": "This is no cursor."}) from error
    if cursor.list_id != _list_id(query):
        message = "This cursor belongs to a list with another order or other filters."
        raise ValidationFailed(errors={"cursor": message})
    return values


def _behind(key: SortKey, value: Any) -> ColumnElement[bool] | None:
    """Return the condition for rows whose key comes later; nothing comes after null."""
    if value is None:
        return None
    later = key.term < key.place(value) if key.falls else key.term > key.place(value)
    return or_(later, key.column.is_(None)) if key.column.nullable else later


def _after(keys: Sequence[SortKey], values: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition for the rows behind a place in the order."""
    directions = {key.falls for key in keys}
    if len(directions) == 1 and not any(key.column.nullable for key in keys):
        # A comparison of rows, which an index on the keys answers by itself.
        terms = tuple_(*(key.term for key in keys))
        place = tuple_(*(key.place(value) for key, value in zip(keys, values, strict=True)))
        return terms < place if True in directions else terms > place
    alternatives = []
    for position, key in enumerate(keys):
        behind = _behind(key, values[position])
        if behind is not None:
            same = [
                earlier.term.is_not_distinct_from(earlier.place(value))
                for earlier, value in zip(keys[:position], values, strict=False)
            ]
            alternatives.append(and_(*same, behind))
    return or_(*alternatives)


async def paginate(
    scope: Scope,
    model: Model,
    query: PageQuery,
    page_type: type[PageT],
    *extra: ColumnElement[bool],
) -> PageT:
    """Fetch the page behind the cursor, of the rows in scope."""
    keys = sort_keys(query, model)
    place = _decode(query, keys, model)
    found = scope.select(model).where(*conditions(query, model), *extra)
    if place is not None:
        found = found.where(_after(keys, place))
    order = [key.clause() for key in keys]
    rows = await scope.execute(found.order_by(*order).limit(query.limit + 1))
    page = rows[: query.limit]
    next_cursor = _encode(query, keys, page[-1]) if len(rows) > query.limit else None
    return page_type.model_validate({"items": page, "next_cursor": next_cursor})
