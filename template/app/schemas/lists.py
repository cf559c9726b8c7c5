"""Queries of lists: filters, which are marked with their comparison, and the sort order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

from pydantic import MISSING, BaseModel, ConfigDict, Field
from sqlalchemy import JSON, Column, Text

from app.models.row import Row

T = TypeVar("T")

UNSET: Any = Field(default_factory=lambda: None)


@dataclass(frozen=True)
class Comparison:
    """Marks a query parameter that is compared with a column.

    The column has the parameter's name without the suffix, unless it is named. With `values`, the
    column is compared with what the parameter's value stands for; one that is not listed is no filter.
    """

    operator: Literal["eq", "ge", "le", "is_null", "is_true"]
    suffix: str = ""
    column: str = ""
    values: Mapping[object, object] = field(default_factory=dict, hash=False)


Equals = Annotated[T | MISSING, Comparison("eq")]
AtLeast = Annotated[T | MISSING, Comparison("ge", "_gte")]
AtMost = Annotated[T | MISSING, Comparison("le", "_lte")]
IsNull = Annotated[bool | MISSING, Comparison("is_null", "_is_null")]


class ListQuery(BaseModel):
    """The query of every list; unknown parameters are rejected."""

    model_config = ConfigDict(extra="forbid")

    sort: str


def sortable(model: type[Row]) -> dict[str, Column[Any]]:
    """Return the columns that a list can be sorted by, by name: no long text, no JSON."""
    return {
        column.name: column
        for column in model.__table__.columns
        if column.info.get("sortable", True) and not isinstance(column.type, Text | JSON)
    }


def sort_pattern(model: type[Row]) -> str:
    """Return the pattern of `sort`: column names, comma-separated, each with an optional minus."""
    names = "|".join(sortable(model))
    return rf"^-?({names})(,-?({names}))*$"
