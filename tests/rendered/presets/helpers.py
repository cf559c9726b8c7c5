"""What the tests of several presets need."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.preset_server import Caller

UNKNOWN = 2**40
Row = dict[str, Any]


def soon(**after: float) -> str:
    """A moment to come, as JSON has it."""
    return (datetime.now(UTC) + timedelta(**after)).isoformat()


def moment(text: str) -> datetime:
    """A moment, which has to say its offset."""
    found = datetime.fromisoformat(text)
    assert found.tzinfo is not None
    return found


def titles(rows: list[Row]) -> set[str]:
    """What the rows are called."""
    return {row["title"] for row in rows}


def is_kept(caller: Caller, path: str, row: Row) -> None:
    """Expect that the row is as it was, whatever others tried."""
    assert caller.get(200, f"{path}/{row['id']}") == row
