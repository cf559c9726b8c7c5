"""Filters and orders of lists."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import JSON, Column, ColumnElement, Table, Text
from sqlalchemy.sql.elements import UnaryExpression

from app.models.row import Row

T = TypeVar("T")

# Left out of the schema and of what was sent: no filter at all, rather than one for null.
UNSET: Any = Field(default_factory=lambda: None)


@dataclass(frozen=True)
class Comparison:
    """Marks a query parameter that compares a column with its value."""

    compare: Callable[[Any, Any], ColumnElement[bool]]
    suffix: str = ""

    def clause(self, table: Table, parameter: str, value: Any) -> ColumnElement[bool]:
        """Build the condition for one parameter."""
        return self.compare(table.c[parameter.removesuffix(self.suffix)], value)


Equals = Annotated[T, Comparison(operator.eq)]
AtLeast = Annotated[T, Comparison(operator.ge, "_gte")]
AtMost = Annotated[T, Comparison(operator.le, "_lte")]


class ListQuery(BaseModel):
    """What every list can be asked for; parameters that it does not know are refused."""

    model_config = ConfigDict(extra="forbid")

    sort: str


def sortable(model: type[Row]) -> dict[str, Column[Any]]:
    """Return the columns that a list can be sorted by: not by long texts and documents."""
    return {
        column.name: column
        for column in model.__table__.columns
        if column.info.get("sortable", True) and not isinstance(column.type, Text | JSON)
    }


def sort_pattern(model: type[Row]) -> str:
    """Return the pattern of `sort`: names with an optional minus, in the order of their weight."""
    names = "|".join(sortable(model))
    return rf"^-?({names})(,-?({names}))*$"


def conditions(query: ListQuery, model: type[Row]) -> list[ColumnElement[bool]]:
    """Return the conditions for the parameters that were sent."""
    fields = type(query).model_fields
    return [
        marker.clause(model.__table__, name, getattr(query, name))
        for name in sorted(query.model_fields_set)
        for marker in fields[name].metadata
        if isinstance(marker, Comparison)
    ]


@dataclass(frozen=True)
class SortKey:
    """One key of an order."""

    column: Column[Any]
    descending: bool

    def clause(self) -> UnaryExpression[Any]:
        """Return the key for ORDER BY; nulls come last both ways."""
        ordered = self.column.desc() if self.descending else self.column.asc()
        # Said only where it matters: an index serves the plain order.
        return ordered.nulls_last() if self.column.nullable else ordered


def sort_keys(query: ListQuery, model: type[Row]) -> list[SortKey]:
    """Return the order of a list; the id breaks ties, in the direction of the last key."""
    columns = sortable(model)
    keys = [
        SortKey(columns[name.removeprefix("-")], descending=name.startswith("-"))
        for name in query.sort.split(",")
    ]
    if all(key.column.name != "id" for key in keys):
        keys.append(SortKey(columns["id"], descending=keys[-1].descending))
    return keys
