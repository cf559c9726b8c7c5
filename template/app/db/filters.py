"""Filters of lists, as conditions in SQL."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from pydantic import MISSING
from sqlalchemy import Column, ColumnElement, bindparam
from sqlalchemy.sql import operators

from app.db.database import Values
from app.models.row import Row
from app.schemas.lists import Comparison, ListQuery

OPERATORS: dict[str, Callable[[Column[Any], Any], ColumnElement[bool]]] = {
    "eq": operators.eq,
    "ge": operators.ge,
    "le": operators.le,
}
# The operators whose condition depends on the value.
TESTS: dict[str, Callable[[Column[Any], Any], ColumnElement[bool]]] = {
    "is_null": lambda column, wanted: column.is_(None) if wanted else column.is_not(None),
    # Null counts as false.
    "is_true": lambda column, wanted: column.is_(True) if wanted else column.is_not(True),
}


class Condition(NamedTuple):
    """One more condition of a list: the same object in each request, and the values it takes."""

    clause: ColumnElement[bool]
    values: Values
    # Whether an index finds the rows.
    is_indexed: bool = False


class Shape(NamedTuple):
    """What the statement of a list depends on; everything else is a parameter of the statement."""

    query_type: type[ListQuery]
    # The names of the filters that were sent; those in TESTS with their value.
    filters: tuple[tuple[str, bool | None], ...]
    sort: str
    extra: ColumnElement[bool] | None = None
    is_indexed: bool = False


@cache
def _comparisons(query_type: type[ListQuery]) -> dict[str, Comparison]:
    """Return the filters that a query may have."""
    return {
        name: marker
        for name, field in query_type.model_fields.items()
        for marker in field.metadata
        if isinstance(marker, Comparison)
    }


def read_query(query: ListQuery, extra: Condition | None = None) -> tuple[Shape, dict[str, Any]]:
    """Return the shape of the statement for a query, and the values of its parameters."""
    filters: list[tuple[str, bool | None]] = []
    values = dict(extra.values) if extra else {}
    sent = query.model_fields_set
    for name, comparison in _comparisons(type(query)).items():
        if name not in sent:
            continue
        value = getattr(query, name)
        if comparison.values:
            value = comparison.values.get(value, MISSING)
        if value is MISSING:
            continue
        if comparison.operator in TESTS:
            filters.append((name, value))
        else:
            filters.append((name, None))
            values[f"_filter_{name}"] = value
    further = (extra.clause, extra.is_indexed) if extra else ()
    return Shape(type(query), tuple(filters), query.sort, *further), values


def conditions(model: type[Row], shape: Shape) -> list[ColumnElement[bool]]:
    """Return the condition for each filter, and the extra one."""
    found = [] if shape.extra is None else [shape.extra]
    for name, wanted in shape.filters:
        comparison = _comparisons(shape.query_type)[name]
        column = model.__table__.c[comparison.column or name.removesuffix(comparison.suffix)]
        if comparison.operator in TESTS:
            found.append(TESTS[comparison.operator](column, wanted))
        else:
            value = bindparam(f"_filter_{name}", type_=column.type)
            found.append(OPERATORS[comparison.operator](column, value))
    return found
