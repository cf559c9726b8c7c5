"""Filters and orders of lists."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import JSON, Column, ColumnElement, Integer, Table, Text, case, literal
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


def _compare_with_null(column: Column[Any], expected: bool) -> ColumnElement[bool]:
    return column.is_(None) if expected else column.is_not(None)


Equals = Annotated[T, Comparison(operator.eq)]
AtLeast = Annotated[T, Comparison(operator.ge, "_gte")]
AtMost = Annotated[T, Comparison(operator.le, "_lte")]
IsNull = Annotated[bool, Comparison(_compare_with_null, "_is_null")]


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
    """One key of an order: a column, and the direction of its values."""

    column: Column[Any]
    descending: bool

    @property
    def term(self) -> ColumnElement[Any]:
        """What rows are compared by."""
        return self.column

    @property
    def falls(self) -> bool:
        """Whether the first row has the greatest term."""
        return self.descending

    def place(self, value: Any) -> ColumnElement[Any]:
        """Return the term of a row with this value."""
        return literal(value, self.column.type)

    def clause(self) -> UnaryExpression[Any]:
        """Return the key for ORDER BY; nulls come last both ways."""
        ordered = self.term.desc() if self.falls else self.term.asc()
        # Said only where it matters: an index serves the plain order.
        return ordered.nulls_last() if self.column.nullable else ordered


@dataclass(frozen=True)
class ChoiceKey(SortKey):
    """A key whose values are in the order in which the choices are listed.

    Stored values that are no longer a choice come after the choices both ways, and before nulls.
    """

    choices: tuple[str, ...]

    @property
    def _ranks(self) -> dict[str, int]:
        choices = reversed(self.choices) if self.descending else self.choices
        return {choice: rank for rank, choice in enumerate(choices)}

    @property
    def term(self) -> ColumnElement[Any]:
        others = case((self.column.is_not(None), len(self.choices)))
        return case(self._ranks, value=self.column, else_=others)

    @property
    def falls(self) -> bool:
        # The ranks have the direction.
        return False

    def place(self, value: Any) -> ColumnElement[Any]:
        rank = None if value is None else self._ranks.get(value, len(self.choices))
        return literal(rank, Integer)


def _literals(annotation: Any) -> tuple[Any, ...]:
    """Return the values of a Literal, whatever it is wrapped in."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    aliased = getattr(annotation, "__value__", None)
    inner = get_args(annotation) if aliased is None else (aliased,)
    return next(filter(None, map(_literals, inner)), ())


@cache
def _choices(query_type: type[ListQuery]) -> dict[str, tuple[str, ...]]:
    """Return the choices of each filter that has some."""
    fields = query_type.model_fields.items()
    found = {name: _literals(field.annotation) for name, field in fields}
    return {name: choices for name, choices in found.items() if choices}


def sort_keys(query: ListQuery, model: type[Row]) -> list[SortKey]:
    """Return the order of a list; the id breaks ties, in the direction of the last key."""
    columns = sortable(model)
    choices = _choices(type(query))
    keys: list[SortKey] = []
    for part in query.sort.split(","):
        name, descending = part.removeprefix("-"), part.startswith("-")
        if name in choices:
            keys.append(ChoiceKey(columns[name], descending, choices[name]))
        else:
            keys.append(SortKey(columns[name], descending))
    if all(key.column.name != "id" for key in keys):
        keys.append(SortKey(columns["id"], descending=keys[-1].descending))
    return keys
