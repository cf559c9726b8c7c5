"""References to many rows, as lists of ids in request bodies."""

from typing import Annotated

from pydantic import AfterValidator, Field

from app.schemas.types.ids import BodyId, Id


def _sort_and_deduplicate(ids: list[Id]) -> list[Id]:
    return sorted(set(ids))


References = Annotated[list[BodyId], Field(max_length=100), AfterValidator(_sort_and_deduplicate)]
