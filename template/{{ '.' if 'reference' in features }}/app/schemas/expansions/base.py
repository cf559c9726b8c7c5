"""Base classes of rows with the rows that they refer to, and of the query that names these."""

from typing import Any

from pydantic import MISSING, BaseModel, ConfigDict

from app.schemas.base import ReadSchema


class Expansion(BaseModel):
    """The query of a row: `expand` has names of references, separated by commas."""

    expand: str | MISSING = MISSING

    @property
    def references(self) -> set[str]:
        """Return the names of the references."""
        return set() if self.expand is MISSING else set(self.expand.split(","))


class Expanded(ReadSchema):
    """A row with the rows that the request names; the others are not in the response."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """Describe the rows that are added."""
        for name, field in cls.model_fields.items():
            if field.default is MISSING:
                field.description = f"The row of `{name}_id`, if `expand` names it."
        super().__pydantic_init_subclass__(**options)


def pattern(*references: str) -> str:
    """Return the pattern of `expand`."""
    names = "|".join(references)
    return f"^({names})(,({names}))*$"
