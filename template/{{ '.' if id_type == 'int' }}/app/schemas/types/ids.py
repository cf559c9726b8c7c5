"""Ids of rows."""

from typing import Annotated

from pydantic import Field

# Within the range of the column: an id beyond it could not even be looked for. OpenAPI's bounds are
# floating-point numbers, which tell this one from the next.
MAX_ID = 9 * 10**18

RowId = Annotated[int, Field(ge=-MAX_ID, le=MAX_ID)]
