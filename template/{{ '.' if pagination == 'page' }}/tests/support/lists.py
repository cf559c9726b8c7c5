"""Read the rows from the response of a list."""

from typing import Any

from httpx import Response


def rows_of(response: Response) -> list[Any]:
    """Return the rows of a list."""
    content = response.json()
    rows: list[Any] = content["items"]
    if content["pagination"]["total_pages"] <= 1:
        assert content["pagination"]["total"] == len(rows)
    return rows
