"""Measure whether the cost of a request depends on the number of resources.

A project with 30 resources runs with its production command; wrk gets a row of the first and of
the last of them in turn, and the same without a token, which is answered before the database is
asked. What counts is the CPU time that the operating system measures. The results are a section
of docs/benchmarks.md.

--quick takes 2 rounds of 1 second. Like --database, it prints the results and does not write them.
"""

import argparse
import os
import platform
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench import page
from bench.load import Burst, Load, Request, burst, spread, wrk, wrk_version
from bench.project import Project, database, postgres_version, render_project, serve, versions

RESOURCES = 30
GOAL = 1.1
ROUNDS, SECONDS = 5, 2
QUICK_ROUNDS, QUICK_SECONDS = 2, 1
FIRST, LAST = "task", f"thing{RESOURCES - 1}"
KINDS = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}

SECTION = """\
A project with {resources} resources runs in one process on PostgreSQL. `wrk` gets one row of the
first resource and one of the last on 16 connections, in turn, in {rounds} rounds of {seconds} s
each; and the same without a token, which is answered with 401 before the database is asked. The
figures are CPU time of the server for a request, as median and range.

{results}

Measured on {day} on {cores} cores with {versions}.
"""
Bursts = dict[str, list[Burst]]


def answers() -> dict[str, object]:
    """The answers for a project with many resources."""
    names = [f"thing{number}" for number in range(1, RESOURCES)]
    fields = {"title": "str", "completed": {"type": "bool", "default": False}}
    return {"more_resources": [{"name": name, "fields": fields} for name in names]}


def measure(project: Project, url: str, folder: Path, rounds: int, seconds: int) -> Bursts:
    """Load the first and the last resource in turn."""
    project.migrate(url)
    with ExitStack() as stack:
        server = stack.enter_context(serve(project, url))
        token = {"Authorization": f"Bearer {server.register('reader').token}"}
        loads = {}
        for name in (FIRST, LAST):
            created = server.ask("POST", f"/api/{name}s", {"title": "One"}, token)
            request = Request("GET", f"/api/{name}s/{created['id']}")
            loads[name] = Load([request], token)
            loads[f"{name}, 401"] = Load([request], {}, status=401)
        found: Bursts = {name: [] for name in loads}
        for number in range(rounds + 1):
            for name, load in loads.items():
                done = burst(server, load, folder, seconds)
                assert not done.failed, f"{name}: {done.failed}"
                # The first round fills caches.
                if number:
                    found[name].append(done)
    return found


def row(title: str, first: list[Burst], last: list[Burst]) -> list[str]:
    """A row of the table: both times, and their ratio."""
    ratios = [two.cpu_us / one.cpu_us for one, two in zip(first, last, strict=True)]
    times = [f"{spread([one.cpu_us for one in bursts])[0]:.0f}" for bursts in (first, last)]
    return [title, *times, *(f"{ratio:.2f}" for ratio in spread(ratios))]


def main() -> None:
    """Measure, print, and write the section if everything was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter bursts")
    parser.add_argument("--database", choices=list(KINDS), default="postgresql")
    asked = parser.parse_args()
    wrk()
    rounds, seconds = (QUICK_ROUNDS, QUICK_SECONDS) if asked.quick else (ROUNDS, SECONDS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = render_project(folder / "project", answers())
        with database(asked.database, project.environment, folder) as url:
            found = measure(project, url, folder, rounds, seconds)
        used = versions(project.environment, "fastapi", "starlette", "uvicorn")
        if asked.database == "postgresql":
            used += f", {postgres_version(project.environment)}"
    table = page.table(
        ["request", "first, µs", "last, µs", "last to first", "from", "to"],
        [
            row("GET of one row", found[FIRST], found[LAST]),
            row("GET without a token", found[f"{FIRST}, 401"], found[f"{LAST}, 401"]),
        ],
    )
    pairs = zip(found[FIRST], found[LAST], strict=True)
    ratio = spread([last.cpu_us / first.cpu_us for first, last in pairs])[0]
    met = "met" if ratio <= GOAL else "missed"
    printed = f"{table}\n\nThe goal for a row is a ratio of at most {GOAL}: it is {met}."
    print(f"On {KINDS[asked.database]}, {RESOURCES} resources:\n\n{printed}\n")
    if asked.quick or asked.database != "postgresql":
        print("Nothing is written: only a complete run without options is.")
        return
    section = SECTION.format(
        resources=RESOURCES,
        rounds=rounds,
        seconds=seconds,
        results=printed,
        day=datetime.now(tz=UTC).date(),
        cores=os.cpu_count(),
        versions=f"Python {platform.python_version()}, {used}, wrk {wrk_version()}",
    )
    page.write(page.ROUTING, section)


if __name__ == "__main__":
    main()
