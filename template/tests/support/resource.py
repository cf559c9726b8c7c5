"""The description of a resource for the tests. The sample data are in tests/support/samples/."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.api import ABSENT_ID


@dataclass(frozen=True)
class Reference:
    """A field with the id of a row of `target`; `rule` is the effect of deleting that row."""

    target: str
    rule: str
    nullable: bool = False
    unique: bool = False


@dataclass(frozen=True, eq=False)
class Resource:
    """A resource of the API, and its fields by what they support."""

    name: str
    # `{user_id}` stands for the id of the user who sends the request.
    path: str
    # The number of rows of one user that can differ in all unique fields, up to five.
    rows: int
    # A valid body without references; bodies of different numbers differ in unique fields.
    body: Callable[[int], dict[str, Any]]
    owned: bool = True
    operations: list[str] = field(default_factory=list)
    required: list[str] = field(default_factory=list)
    # The value of each field that a body may leave out.
    omitted: dict[str, Any] = field(default_factory=dict)
    invalid: list[tuple[str, Any]] = field(default_factory=list)
    unique: list[str] = field(default_factory=list)
    filterable: list[str] = field(default_factory=list)
    # Fields with the filters `_gte` and `_lte`.
    ranged: list[str] = field(default_factory=list)
    nullable: list[str] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)
    searched: list[str] = field(default_factory=list)
    # Searched fields that accept any letters.
    letters: list[str] = field(default_factory=list)
    # Fields whose value must be in the future.
    future: list[str] = field(default_factory=list)
    # The largest value of each decimal field.
    decimals: dict[str, str] = field(default_factory=dict)
    # Whether lists have the filter `status`.
    has_status: bool = False
    references: dict[str, Reference] = field(default_factory=dict)
    # Fields that contain the ids of several rows, with the resource of these rows.
    links: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    @property
    def absent(self) -> str:
        """The path of a row that does not exist."""
        return f"{self.path}/{ABSENT_ID}"

    @property
    def has_unique(self) -> bool:
        """Whether two rows with the same body conflict."""
        references = self.references.values()
        return bool(self.unique) or any(
            reference.unique and not reference.nullable for reference in references
        )

    def row(self, row: dict[str, Any]) -> str:
        """Return the path of a row."""
        return f"{self.path}/{row['id']}"
