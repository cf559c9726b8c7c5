"""Filters of lists, as conditions in SQL."""

from collections.abc import Callable
from typing import Any

from pydantic import MISSING
from sqlalchemy import Column, ColumnElement
from sqlalchemy.sql import operators

from app.models.row import Row
from app.schemas.lists import Comparison, ListQuery

OPERATORS: dict[str, Callable[[Column[Any], Any], ColumnElement[bool]]] = {
    "eq": operators.eq,
    "ge": operators.ge,
    "le": operators.le,
    "is_null": lambda column, wanted: column.is_(None) if wanted else column.is_not(None),
    # Null counts as false.
    "is_true": lambda column, wanted: column.is_(True) if wanted else column.is_not(True),
}


def conditions(query: ListQuery, model: type[Row]) -> list[ColumnElement[bool]]:
    """Return a condition for each filter that was sent."""
    filters = [
        (name, marker)
        for name, field in type(query).model_fields.items()
        for marker in field.metadata
        if isinstance(marker, Comparison)
    ]
    found = []
    for name, comparison in filters:
        value = getattr(query, name)
        if comparison.values:
            value = comparison.values.get(value, MISSING)
        if value is not MISSING:
            column = model.__table__.c[comparison.column or name.removesuffix(comparison.suffix)]
            found.append(OPERATORS[comparison.operator](column, value))
    return found
