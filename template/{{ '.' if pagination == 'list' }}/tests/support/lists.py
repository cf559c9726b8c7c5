"""How the tests read lists."""

from typing import Any

from httpx import Response


def rows_of(response: Response) -> list[Any]:
    """Return the rows of a list."""
    rows: list[Any] = response.json()
    return rows
