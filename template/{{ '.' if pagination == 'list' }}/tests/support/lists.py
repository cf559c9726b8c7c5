"""Read the rows from the response of a list."""

from typing import Any

from httpx import Response


def rows_of(response: Response) -> list[Any]:
    """Return the rows of a list."""
    rows: list[Any] = response.json()
    return rows
