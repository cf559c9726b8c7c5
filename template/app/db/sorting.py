"""Sort orders of lists."""

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, Literal, Self, cast, get_args, get_origin

from sqlalchemy import Column, ColumnElement, FromClause, Integer, case, func
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.types import TypeEngine

from app.db.filters import Shape
from app.models.row import Row
from app.schemas.lists import ListQuery, sortable


@dataclass(frozen=True)
class SortKey:
    """A column to sort by, and the direction of its values."""

    column: Column[Any]
    descending: bool
    # Whether the index of the order must not be used: another one finds the rows, and reading all
    # rows in order until enough of them match would take longer.
    is_computed: bool

    def of(self, rows: FromClause) -> Self:
        """Return the same key of a subquery."""
        return replace(self, column=cast("Column[Any]", rows.c[self.column.name]))

    @property
    def term(self) -> ColumnElement[Any]:
        """The expression that rows are compared by."""
        return func.coalesce(self.column, self.column) if self.is_computed else self.column

    @property
    def term_descending(self) -> bool:
        """Whether the greatest term comes first."""
        return self.descending

    @property
    def term_type(self) -> TypeEngine[Any]:
        """The type of the term."""
        return self.column.type

    def term_of(self, value: Any) -> Any:
        """Return the term of a row with this value in the column."""
        return value

    def clause(self) -> UnaryExpression[Any]:
        """Return the key for ORDER BY; nulls come last in both directions."""
        ordered = self.term.desc() if self.term_descending else self.term.asc()
        # Only where it matters: an index serves the plain order.
        return ordered.nulls_last() if self.column.nullable else ordered


@dataclass(frozen=True)
class ChoiceKey(SortKey):
    """A column whose values are sorted in the order in which the choices are listed.

    Stored values that are no longer a choice come after the choices and before nulls, in both
    directions.
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
    def term_descending(self) -> bool:
        # The ranks already follow the direction.
        return False

    @property
    def term_type(self) -> TypeEngine[Any]:
        return Integer()

    def term_of(self, value: Any) -> Any:
        return None if value is None else self._ranks.get(value, len(self.choices))


def _literals(annotation: Any) -> tuple[Any, ...]:
    """Return the values of the first Literal in an annotation."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    aliased = getattr(annotation, "__value__", None)
    inner = get_args(annotation) if aliased is None else (aliased,)
    return next(filter(None, map(_literals, inner)), ())


@cache
def _choices(query_type: type[ListQuery]) -> dict[str, tuple[str, ...]]:
    """Return the choices of each filter that has any."""
    fields = query_type.model_fields.items()
    found = {name: _literals(field.annotation) for name, field in fields}
    return {name: choices for name, choices in found.items() if choices}


@lru_cache(maxsize=1024)
def sort_keys(model: type[Row], shape: Shape) -> tuple[SortKey, ...]:
    """Return the order of a list; the id breaks ties, in the direction of the last key."""
    columns = sortable(model)
    choices = _choices(shape.query_type)
    keys: list[SortKey] = []
    computed = shape.is_indexed
    for part in shape.sort.split(","):
        name, descending = part.removeprefix("-"), part.startswith("-")
        if name in choices:
            keys.append(ChoiceKey(columns[name], descending, computed, choices[name]))
        else:
            keys.append(SortKey(columns[name], descending, computed))
    if all(key.column.name != "id" for key in keys):
        keys.append(SortKey(columns["id"], keys[-1].descending, computed))
    return tuple(keys)
