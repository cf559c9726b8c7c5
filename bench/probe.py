"""Read one row and update one row every 10 ms, until the input ends; print the longest calls.

Runs in the environment of the benchmarks: `python probe.py URL`. The output is JSON: the longest
read and the longest update, in seconds.
"""

import asyncio
import json
import sys
import time
from uuid import UUID

import asyncpg

PAUSE_SECONDS = 0.01
READ = "SELECT title FROM tasks WHERE id = $1"
WRITE = "UPDATE tasks SET title = title || '' WHERE id = $1"


class Probe:
    """A connection that runs one statement again and again."""

    def __init__(self, statement: str, ids: list[UUID]) -> None:
        self.statement = statement
        self.ids = ids
        self.longest = 0.0

    async def run(self, url: str, stopped: asyncio.Event) -> None:
        """Run it, and keep the time of the longest call."""
        connection = await asyncpg.connect(url)
        number = 0
        while not stopped.is_set():
            number += 1
            started = time.perf_counter()
            await connection.fetch(self.statement, self.ids[number * 7919 % len(self.ids)])
            self.longest = max(self.longest, time.perf_counter() - started)
            await asyncio.sleep(PAUSE_SECONDS)
        await connection.close()


async def main(url: str) -> None:
    """Probe a database."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT id FROM tasks TABLESAMPLE SYSTEM (1)")
    await connection.close()
    probes = [Probe(statement, [row["id"] for row in rows]) for statement in (READ, WRITE)]
    stopped = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for probe in probes:
            group.create_task(probe.run(url, stopped))
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        stopped.set()
    print(json.dumps([probe.longest for probe in probes]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
