"""Filters of lists, as conditions on the columns of a table."""

from collections.abc import Callable
from typing import Any

from pydantic import MISSING
from sqlalchemy import Column, ColumnElement, Table
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


def _condition(
    table: Table, parameter: str, value: object, comparison: Comparison
) -> ColumnElement[bool]:
    column = table.c[comparison.column or parameter.removesuffix(comparison.suffix)]
    return OPERATORS[comparison.operator](column, value)


def conditions(query: ListQuery, model: type[Row]) -> list[ColumnElement[bool]]:
    """Return a condition for each filter that was sent."""
    found = []
    for name, field in type(query).model_fields.items():
        value = getattr(query, name)
        for comparison in field.metadata:
            if isinstance(comparison, Comparison) and name in query.model_fields_set:
                if comparison.values:
                    value = comparison.values.get(value, MISSING)
                if value is not MISSING:
                    found.append(_condition(model.__table__, name, value, comparison))
    return found
