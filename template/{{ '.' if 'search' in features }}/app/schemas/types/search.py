"""Search strings."""

from typing import Annotated

from pydantic import Field

from app.schemas.types.text import Text

SearchText = Annotated[
    Text, Field(min_length=1, max_length=200, description="String to search for.")
]
