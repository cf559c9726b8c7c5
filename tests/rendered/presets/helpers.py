"""Helpers for the tests of the presets."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.preset_server import Caller

UNKNOWN = 2**40
Row = dict[str, Any]


def from_now(**after: float) -> str:
    """Return the time after a duration, in ISO format."""
    return (datetime.now(UTC) + timedelta(**after)).isoformat()


def parse_datetime(text: str) -> datetime:
    """Parse a datetime, which must have an offset."""
    found = datetime.fromisoformat(text)
    assert found.tzinfo is not None
    return found


def titles(rows: list[Row]) -> set[str]:
    """Return the titles of rows."""
    return {row["title"] for row in rows}


def assert_unchanged(caller: Caller, path: str, row: Row) -> None:
    """Check that a row is unchanged."""
    assert caller.get(200, f"{path}/{row['id']}") == row
