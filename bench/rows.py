"""Store tasks directly in the database of a project, much faster than its API would.

Runs in the environment of the benchmarks: `python rows.py URL SETS`, where SETS is a list, as JSON,
of the fields of `Rows`. A set without a user belongs to a new one, who cannot log in.
"""

import asyncio
import hashlib
import json
import sqlite3
import sys
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2025, 1, 1, tzinfo=UTC)
MARKED = "Read the quarterly report"
NOTE = "One of many tasks, with a description about as long as they usually are"
PRIORITIES = ("low", "medium", "high")
COLUMNS = {
    "users": ("id", "email", "password_hash", "password_changed_at", "created_at"),
    "tasks": (
        *("id", "user_id", "created_at", "updated_at", "title"),
        *("description", "completed", "priority", "due_date", "tags"),
    ),
}


@dataclass(frozen=True)
class Rows:
    """Consecutive tasks of one user; each has the second of its number as its time."""

    user: str
    count: int
    first: int = 0
    # Each of so many tasks has the title that benchmarks search for.
    every: int = 10


def time_ordered_id(created: datetime, name: str) -> uuid.UUID:
    """A UUID of version 7 with the time of its row; the same in every run."""
    milliseconds = int(created.timestamp() * 1000).to_bytes(6, "big")
    value = bytearray(milliseconds + hashlib.sha256(name.encode()).digest()[:10])
    value[6] = 0x70 | value[6] & 0x0F
    value[8] = 0x80 | value[8] & 0x3F
    return uuid.UUID(bytes=bytes(value))


def task_id(user: str, number: int) -> uuid.UUID:
    """The id of a stored task."""
    return time_ordered_id(created_at(number), f"{user} {number}")


def created_at(number: int) -> datetime:
    """When a task was created; no task at a whole second, which has another length as JSON."""
    return START + timedelta(seconds=number, microseconds=number % 999_983 + 1)


def tasks(rows: Rows) -> Iterator[tuple[Any, ...]]:
    """The values of the columns of tasks."""
    user = uuid.UUID(rows.user)
    for number in range(rows.first, rows.first + rows.count):
        created = created_at(number)
        yield (
            task_id(rows.user, number),
            user,
            created,
            created,
            MARKED if number % rows.every == 0 else f"Task number {number}",
            NOTE if number % 2 else None,
            number % 3 == 0,
            PRIORITIES[number % 3],
            created + timedelta(days=30) if number % 2 else None,
            json.dumps(["home", f"week {number % 52}"]),
        )


def users(sets: Iterable[Rows]) -> Iterator[tuple[Any, ...]]:
    """The values of the columns of new users."""
    for rows in sets:
        yield (uuid.UUID(rows.user), f"{rows.user}@example.com", "none", START, START)


def as_stored_by_sqlite(value: object) -> object:
    """The value that SQLAlchemy stores for a value of a column."""
    match value:
        case uuid.UUID():
            return value.hex
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S.%f")
        case _:
            return value


def fill_sqlite(path: str, table: str, values: Iterable[tuple[Any, ...]]) -> None:
    """Insert into a table of a SQLite file."""
    columns = COLUMNS[table]
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(statement, (tuple(map(as_stored_by_sqlite, row)) for row in values))


async def fill_postgresql(url: str, table: str, values: Iterable[tuple[Any, ...]]) -> None:
    """Copy into a table of PostgreSQL, and let the planner see it as autovacuum would."""
    import asyncpg  # noqa: PLC0415  # Only in the environment of the benchmarks.

    connection = await asyncpg.connect(url)
    await connection.copy_records_to_table(table, columns=COLUMNS[table], records=values)
    await connection.execute(f"VACUUM ANALYZE {table}")
    await connection.close()


def fill(url: str, table: str, values: Iterable[tuple[Any, ...]]) -> None:
    """Insert into a table of either database."""
    if url.startswith("sqlite:///"):
        fill_sqlite(url.removeprefix("sqlite:///"), table, values)
    else:
        asyncio.run(fill_postgresql(url, table, values))


def main(url: str, sets: str) -> None:
    """Store all sets."""
    given = [Rows(**fields) for fields in json.loads(sets)]
    named = [rows if rows.user else Rows(str(uuid.uuid4()), rows.count) for rows in given]
    new = [rows for rows, asked in zip(named, given, strict=True) if not asked.user]
    fill(url, "users", users(new))
    fill(url, "tasks", (row for rows in named for row in tasks(rows)))


if __name__ == "__main__":
    main(*sys.argv[1:])
