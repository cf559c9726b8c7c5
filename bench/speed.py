"""Measure how many requests a rendered project answers, relative to the floor.

The project runs with its production command. The floor (bench/floor.py) and the same API written in
the usual way (bench/idiomatic.py) run beside it on the same tables; wrk loads one after the other
in short bursts, over several rounds, so that a busy machine slows down all of them. The results are
a section of docs/benchmarks.md, and docs/speed.svg.

--quick takes 2 rounds of 1 second instead of 5 of 2, and of the rest only 16 and 400 connections,
once. Like every other option, it prints the results and does not write them.
"""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench import page
from bench.load import Burst, spread, wrk, wrk_version
from bench.project import (
    Project,
    database,
    install,
    postgres_version,
    render_project,
    versions,
)
from bench.stage import FLOOR, OPERATIONS, OURS, ROWS, SERVERS, USUAL, Stage
from tests.support.environment import Environment

KINDS = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
GOALS = {"list": 0.40, "get": 0.40, "create": 0.45, "update": 0.40}
GOAL_AT_400 = 0.8
GOAL_MEGABYTES = 120
Bursts = dict[str, list[Burst]]

SECTION = """\
A project with the default answers runs with the production command of its image, in one
process, with all its middleware; it checks the token and the session of each request. *The floor*
is Starlette, asyncpg and orjson on the same tables, with the same answers, without validation and
without authentication (`bench/floor.py`); on SQLite, it calls the driver in the event loop. *The
usual way* is FastAPI with an ORM session from a generator dependency, a user that is loaded for
each request, and a pool with its defaults (`bench/idiomatic.py`). All run on uvicorn with uvloop
and httptools, without its access log; what the project logs goes to /dev/null.

`wrk` sends requests on 16 connections: a list of 20 rows, with its total; one row; a new row; a
change of one field; a search that 100 rows match. Each of two users has {rows} rows, of which one
is read and the other written. The servers are loaded in turn, in {rounds} rounds of {seconds} s
each. The load, the servers and the database share the cores.

![Throughput relative to the floor](speed.svg)

The tables have the throughput relative to the floor's in the same round, as median and range, and
the CPU time of the server for a request in µs, as the operating system counts it.

{results}

Measured on {day} on {cores} cores with {versions}.
"""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int = 5
    seconds: int = 2
    side_rounds: int = 2
    connections: tuple[int, ...] = (1, 16, 64, 400)
    # Longer than the timeout of a pool, so that a request that waits too long is seen.
    connection_seconds: int = 4
    processes: tuple[int, ...] = (1, 2, 4)


QUICK = Plan(rounds=2, seconds=1, side_rounds=1, connections=(16, 400), processes=())


@dataclass(frozen=True)
class Results:
    """What was measured on one database."""

    operations: dict[str, Bursts]
    connections: dict[int, Bursts]
    processes: dict[tuple[str, int], Bursts]
    megabytes: dict[str, float]
    # Of a get, on PostgreSQL.
    pieces: dict[str, float]


def collect(rounds: Iterable[dict[str, Burst]]) -> Bursts:
    """The bursts of each server, one of each round."""
    found: Bursts = {}
    for measured in rounds:
        for name, result in measured.items():
            found.setdefault(name, []).append(result)
    return found


def measure(stage: Stage, operations: Sequence[str], plan: Plan) -> Results:
    """Measure everything on one database."""
    found: dict[str, Bursts] = {}
    by_connections: dict[int, list[dict[str, Burst]]] = {}
    by_processes: dict[tuple[str, int], list[dict[str, Burst]]] = {}
    title = KINDS[stage.kind]
    with ExitStack() as stack:
        servers = {name: stage.start(stack, name) for name in SERVERS}
        for operation in operations:
            stage.check(operation, servers)
            stage.bursts(operation, servers, 1)  # Opens connections and fills caches.
            found[operation] = collect(
                stage.bursts(operation, servers, plan.seconds) for _ in range(plan.rounds)
            )
            print(f"{title}, {operation}: {described(found[operation])}", flush=True)
        pair = {name: servers[name] for name in (FLOOR, OURS)}
        for _ in range(plan.side_rounds if "get" in operations else 0):
            for count in plan.connections:
                measured = stage.bursts("get", pair, plan.connection_seconds, count)
                by_connections.setdefault(count, []).append(measured)
        megabytes = {name: server.megabytes() for name, server in servers.items()}
    for count in plan.processes:
        # One count after the other: together, their pools would be more than the server allows.
        with ExitStack() as stack:
            group = {name: stage.start(stack, name, count) for name in (FLOOR, OURS)}
            for operation in (name for name in ("get", "list") if name in operations):
                stage.bursts(operation, group, 1)
                by_processes[operation, count] = [
                    stage.bursts(operation, group, plan.seconds) for _ in range(plan.side_rounds)
                ]
    return Results(
        found,
        {count: collect(rounds) for count, rounds in by_connections.items()},
        {key: collect(rounds) for key, rounds in by_processes.items()},
        megabytes,
        stage.pieces() if stage.kind == "postgresql" and "get" in operations else {},
    )


def ratios(bursts: Sequence[Burst], base: Sequence[Burst]) -> list[float]:
    """The throughput relative to that of another server in the same round, where none failed."""
    pairs = zip(bursts, base, strict=True)
    return [one.rate / other.rate for one, other in pairs if not one.failed and not other.failed]


def cell(figures: Sequence[float]) -> list[str]:
    """The median and the range of ratios."""
    return [f"{figure:.2f}" for figure in spread(figures)] if figures else ["failed", "", ""]


def cpu(bursts: Sequence[Burst]) -> str:
    """CPU time of a server for a request."""
    return f"{spread([one.cpu_us for one in bursts])[0]:.0f}"


def described(bursts: Bursts) -> str:
    """The results of an operation, as one line."""
    return "; ".join(
        f"{name} {' '.join(cell(ratios(of, bursts[FLOOR])))}, {cpu(of)} µs of CPU,"
        f" {spread([one.rate for one in of])[0]:.0f}/s"
        for name, of in bursts.items()
    )


def failures(results: Results) -> list[str]:
    """Every burst in which something went wrong."""
    named: dict[str, Bursts] = dict(results.operations)
    named |= {f"get, {count} connections": of for count, of in results.connections.items()}
    named |= {f"{name}, {count} processes": of for (name, count), of in results.processes.items()}
    return [
        f"{server}, {name}: {one.failed}"
        for name, bursts in named.items()
        for server, of in bursts.items()
        for one in of
        if one.failed
    ]


def operations_table(kind: str, results: Results) -> str:
    """The throughput and the CPU time of each operation."""
    goals = GOALS if kind == "postgresql" else {}
    rows = []
    for name, bursts in results.operations.items():
        ours, usual = (ratios(bursts[one], bursts[FLOOR]) for one in (OURS, USUAL))
        goal = f"{goals[name]:.2f}" if name in goals else ""
        times = [cpu(bursts[one]) for one in (OURS, FLOOR, USUAL)]
        rows.append([name, *cell(ours), goal, cell(usual)[0], *times])
    head = ["operation", "project", "from", "to", "goal", "usual way"]
    return page.table([*head, *(f"{one}, µs" for one in (OURS, FLOOR, USUAL))], rows)


def connections_table(results: Results) -> str:
    """The throughput of get at each number of connections."""
    rows = []
    for count, bursts in results.connections.items():
        to_floor = ratios(bursts[OURS], bursts[FLOOR])
        to_16 = [
            cell(ratios(bursts[name], results.connections[16][name])) for name in (OURS, FLOOR)
        ]
        latency = [spread([one.p50_ms for one in bursts[name]])[0] for name in (OURS, FLOOR)]
        rows.append(
            [str(count), *cell(to_floor), *(one[0] for one in to_16)]
            + [f"{one:.1f}" for one in latency]
        )
    to_16_head = ["project, to its 16", "floor, to its 16"]
    head = ["connections", "project to floor", "from", "to", *to_16_head]
    return page.table([*head, "project, p50 ms", "floor, p50 ms"], rows)


def processes_table(results: Results) -> str:
    """The throughput with each number of processes."""
    rows = []
    for (operation, count), bursts in results.processes.items():
        alone = results.processes[operation, 1]
        to_floor = cell(ratios(bursts[OURS], bursts[FLOOR]))
        to_one = [cell(ratios(bursts[name], alone[name]))[0] for name in (OURS, FLOOR)]
        rows.append([operation, str(count), *to_floor, *to_one])
    head = ["operation", "processes", "project to floor", "from", "to"]
    return page.table([*head, "project, to its 1", "floor, to its 1"], rows)


def verdict(name: str, value: float, goal: float, *, below: bool = False) -> str:
    """Whether a goal is met, and by how much it is missed."""
    met = value <= goal if below else value >= goal
    missed = "met" if met else f"missed by {100 * abs(value / goal - 1):.0f} %"
    return (
        f"- {name}: {value:.3g}, the goal is at {'most' if below else 'least'} {goal:g}: {missed}"
    )


def goals(results: Results) -> str:
    """The goals on PostgreSQL."""
    lines = []
    for name, goal in GOALS.items():
        bursts = results.operations.get(name)
        measured = bursts and ratios(bursts[OURS], bursts[FLOOR])
        if measured:
            lines.append(verdict(f"{name}, to the floor", spread(measured)[0], goal))
    if {16, 400} <= results.connections.keys():
        many, few = (results.connections[count][OURS] for count in (400, 16))
        errors = sum(bool(one.failed) for one in many)
        measured = ratios(many, few)
        if measured:
            lines.append(verdict("get, 400 to 16 connections", spread(measured)[0], GOAL_AT_400))
        lines.append(f"- bursts of 400 connections with errors: {errors} of {len(many)}")
    memory = results.megabytes[OURS]
    lines.append(verdict("memory of the process, in MB", memory, GOAL_MEGABYTES, below=True))
    return "\n".join(lines)


def pieces_table(results: Results) -> str:
    """What a get is spent on, and what remains."""
    found = dict(results.pieces)
    total = spread([one.cpu_us for one in results.operations["get"][OURS]])[0]
    first = found.pop("first token")
    found["Uvicorn and the socket"] = total - sum(found.values())
    rows = [[name, f"{spent:.0f}", f"{100 * spent / total:.0f} %"] for name, spent in found.items()]
    return (
        f"{page.table(['piece of a get', 'µs', 'share'], rows)}\n\n"
        "The floor has no token, no access log, no dependencies, no schema and less middleware."
        f" The signature of a token takes {first:.0f} µs more in its first request."
    )


def report(kind: str, results: Results) -> str:
    """The results on one database, as Markdown."""
    memory = ", ".join(f"{name} {of:.0f} MB" for name, of in results.megabytes.items())
    parts = [
        f"### On {KINDS[kind]}",
        operations_table(kind, results),
        f"Memory after that, and after many connections: {memory}.",
    ]
    if kind == "postgresql":
        parts += ["The goals:", goals(results)]
    if results.pieces:
        parts += ["What a get is spent on (`bench/pieces.py`):", pieces_table(results)]
    if results.connections:
        parts += ["get, by connections:", connections_table(results)]
    if results.processes:
        parts += ["By processes, with 16 connections:", processes_table(results)]
    failed = failures(results)
    if failed:
        parts += ["Bursts with errors, which count in no ratio:"]
        parts += ["\n".join(f"- {line}" for line in failed)]
    else:
        parts += ["No request failed."]
    return "\n\n".join(parts)


def bars(results: dict[str, Results]) -> list[page.Bar]:
    """The ratios to the floor, of all operations on all databases."""
    found = []
    for kind, measured in results.items():
        known = GOALS if kind == "postgresql" else {}
        for operation, bursts in measured.operations.items():
            for name in (OURS, USUAL):
                ratio = ratios(bursts[name], bursts[FLOOR])
                found.append(
                    page.Bar(
                        f"{KINDS[kind]}, {operation}: {name}",
                        spread(ratio)[0] if ratio else 0,
                        goal=known.get(operation) if name == OURS else None,
                        gray=name == USUAL,
                    )
                )
    return found


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter bursts")
    parser.add_argument("--only", default=",".join(OPERATIONS), help="operations, as in get,list")
    parser.add_argument("--project", type=Path, help="a rendered project with its own .venv")
    parser.add_argument("--database", choices=[*KINDS, "both"], default="both")
    asked = parser.parse_args()
    asked.only = asked.only.split(",")
    if unknown := set(asked.only) - set(OPERATIONS):
        parser.error(f"--only takes {', '.join(OPERATIONS)}, not {', '.join(sorted(unknown))}")
    return asked


def main() -> None:
    """Measure, print, and write the section if everything was measured."""
    asked = options()
    wrk()
    plan = QUICK if asked.quick else Plan()
    kinds = list(KINDS) if asked.database == "both" else [asked.database]
    results = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if asked.project:
            home = asked.project.resolve()
            environment = install(home)
            project = Project(home, Environment(home / ".venv"))
        else:
            project = render_project(folder / "project")
            environment = project.environment
        for kind in kinds:
            with database(kind, environment, folder) as url:
                results[kind] = measure(
                    Stage(kind, url, project, environment, folder), asked.only, plan
                )
        used = [
            versions(project.environment, "fastapi", "sqlalchemy", "asyncpg", "uvicorn"),
            *([postgres_version(environment)] if "postgresql" in kinds else []),
        ]
    printed = "\n\n".join(report(kind, of) for kind, of in results.items())
    section = SECTION.format(
        rounds=plan.rounds,
        seconds=plan.seconds,
        rows=f"{ROWS:,}",
        results=printed,
        day=datetime.now(tz=UTC).date(),
        cores=os.cpu_count(),
        versions=", ".join([f"Python {platform.python_version()}", *used, f"wrk {wrk_version()}"]),
    )
    print(f"\n{printed}")
    if asked.project or plan == QUICK or len(results) < len(KINDS) or asked.only != [*OPERATIONS]:
        print("Nothing is written: only a complete run without options is.")
        return
    page.write(page.SPEED, section)
    svg = page.plot(bars(results), 500, 2, "goal of the project, relative to the floor (1.0)")
    page.write_plot("speed.svg", svg)


if __name__ == "__main__":
    main()
