"""Queries of lists: filters, which are marked with their comparison, and the sort order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    MISSING,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic_core import PydanticCustomError
from sqlalchemy import JSON, Column, Text

from app.models.row import Row

T = TypeVar("T")


@dataclass(frozen=True)
class Comparison:
    """Marks a query parameter as a filter: how it is compared with its column.

    The column has the name of the parameter, without the suffix, unless `column` names it. `values`
    maps values of the parameter to those of the column; a value that is not in it does not filter.
    """

    operator: Literal["eq", "ge", "le", "is_null", "is_true"]
    suffix: str = ""
    column: str = ""
    values: Mapping[object, object] = field(default_factory=dict, hash=False)
    description: str = "Only results whose `{}` is this value."


AT_LEAST = "Only results whose `{}` is at least this value."
AT_MOST = "Only results whose `{}` is at most this value."
IS_NULL = "Only results without `{}`; with `false`, only those that have one."
SORT = (
    "Columns to sort by, comma-separated; a leading minus sorts in descending order. "
    "Each column can be named once."
)
UNSORTABLE = "Must be sortable columns, comma-separated, each with an optional leading minus"

Equals = Annotated[T | MISSING, Comparison("eq")]
AtLeast = Annotated[T | MISSING, Comparison("ge", "_gte", description=AT_LEAST)]
AtMost = Annotated[T | MISSING, Comparison("le", "_lte", description=AT_MOST)]
IsNull = Annotated[bool | MISSING, Comparison("is_null", "_is_null", description=IS_NULL)]


class ListQuery(BaseModel):
    """The query of every list; unknown parameters are rejected."""

    model_config = ConfigDict(extra="forbid")

    sort: str = Field(description=SORT)

    @field_validator("sort", mode="wrap")
    @classmethod
    def _check_sort(cls, value: Any, check: ValidatorFunctionWrapHandler) -> str:
        """Reject unknown columns, without the pattern in the message, and repeated ones."""
        try:
            sort: str = check(value)
        except ValidationError as error:
            raise PydanticCustomError("sort", UNSORTABLE) from error
        names = [part.removeprefix("-") for part in sort.split(",")]
        if len(set(names)) < len(names):
            raise PydanticCustomError("sort", "Each column can be named once")
        return sort

    @classmethod
    def __pydantic_init_subclass__(cls, **_options: Any) -> None:
        """Describe the filters and the sort order in the OpenAPI document."""
        for name, parameter in cls.model_fields.items():
            for comparison in parameter.metadata:
                if isinstance(comparison, Comparison):
                    column = name.removesuffix(comparison.suffix)
                    parameter.description = comparison.description.format(column)
        cls.model_fields["sort"].description = SORT


def sortable(model: type[Row]) -> dict[str, Column[Any]]:
    """Return the columns that a list can be sorted by; long strings and JSON are left out."""
    return {
        column.name: column
        for column in model.__table__.columns
        if column.info.get("sortable", True) and not isinstance(column.type, Text | JSON)
    }


def sort_pattern(model: type[Row]) -> str:
    """Return the pattern of `sort`: column names, comma-separated, each with an optional minus."""
    names = "|".join(sortable(model))
    return rf"^-?({names})(,-?({names}))*$"


def newest_first(model: type[Row]) -> str:
    """Return the order in which the newest rows come first; ids are in ascending order."""
    return "-created_at" if "created_at" in sortable(model) else "-id"
