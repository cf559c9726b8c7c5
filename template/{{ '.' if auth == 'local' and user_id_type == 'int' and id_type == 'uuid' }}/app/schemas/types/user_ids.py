"""Ids of users."""

from typing import Annotated

from pydantic import Field

# Within the range of the column; a larger id could not even be looked up. OpenAPI states bounds as
# floating-point numbers, which represent this one exactly.
MAX_ID = 9 * 10**18

UserId = Annotated[int, Field(ge=-MAX_ID, le=MAX_ID)]
