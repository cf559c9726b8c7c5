"""Measure how the time of a request grows with the rows of its user, and with those of others.

There are two databases: in one, a user has 1,000 rows, and in the other 1,000,000; each has twenty
more users with 1,000 rows each. One request at a time goes to both, in turn, to a project with
numbered pages and to one with cursors. The results are a section of docs/benchmarks.md.

--quick takes 100,000 rows and fewer requests. Like --database, it prints the results and does not
write them.
"""

import argparse
import json
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from math import inf
from pathlib import Path
from statistics import median
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench import page
from bench.load import Request
from bench.project import (
    Project,
    Server,
    User,
    database,
    execute,
    fill,
    postgres_version,
    render_project,
    serve,
    versions,
)
from bench.rows import MARKED, Rows, task_id

FEW, MANY = 1000, 1_000_000
NEIGHBOURS = 20
MATCHES = 10
# The first requests prepare statements.
WARM_UP = 3
KINDS = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
GOAL = 1.5
# What is meant to stay the same, however many rows there are.
FLAT = {"first page, by cursor", "middle page, by cursor", "get", "create", "update"}
INDEX = "gin_trgm_ops"


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    rows: int = MANY
    requests: int = 60
    # A slow operation gets fewer requests.
    seconds: float = 5


QUICK = Effort(rows=100_000, requests=15, seconds=1)


SECTION = """\
Two databases: in one, a user has 1,000 rows, and in the other {rows:,}. In both, there are
{neighbours} more users with 1,000 rows each, of whom one is measured too: the light user. One
request at a time goes to each in turn, over HTTP; the times are medians in ms, which include some
tenths of a ms for the client. Of each user's rows, {matches} match the search and the filter of
the page that is not full. *503* stands for a request that the project gives up, because the
database has not answered in time. A numbered page has the total number of rows, which is a count.

{results}

Measured on {day} on {cores} cores with {versions}.
"""


class TooSlowError(Exception):
    """The database did not answer in time."""


class Client:
    """A connection that stays open, on behalf of a user."""

    def __init__(self, server: Server, user: User) -> None:
        self.connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.headers = {
            "Authorization": f"Bearer {user.token}",
            "Content-Type": "application/json",
        }

    def send(self, request: Request) -> bytes:
        """Send a request, which has to succeed, and return the body of the answer."""
        content = None if request.content is None else json.dumps(request.content)
        self.connection.request(request.method, request.path, content, self.headers)
        response = self.connection.getresponse()
        body = response.read()
        if response.status == 503:
            raise TooSlowError
        assert response.status in {200, 201}, f"{request}: {response.status} {body!r}"
        return body

    def milliseconds(self, request: Request) -> float:
        """How long a request takes; infinite if the project gave it up."""
        started = time.perf_counter()
        try:
            self.send(request)
        except TooSlowError:
            return inf
        return (time.perf_counter() - started) * 1000


@dataclass(frozen=True)
class Projects:
    """The default project, and the same with cursors: both run on the same tables."""

    numbered: Project
    cursors: Project


class Case:
    """A user of one of the databases, and their rows."""

    def __init__(self, user: User, rows: int) -> None:
        self.user = user
        self.rows = rows
        self.every = rows // MATCHES
        self.cursor = ""
        self.numbered: Client
        self.cursors: Client

    def half(self, second: bool) -> Rows:
        """The older or the newer half of the rows."""
        half = self.rows // 2
        return Rows(self.user.id, half, half if second else 0, self.every)

    def connect(self, numbered: Server, cursors: Server) -> None:
        """Use these servers."""
        self.numbered, self.cursors = (Client(server, self.user) for server in (numbered, cursors))

    def remember_middle(self) -> None:
        """Keep the cursor of the second page, which is in the middle once newer rows are stored."""
        self.cursor = json.loads(self.cursors.send(Request("GET", "/api/tasks")))["next_cursor"]

    def request(self, operation: str, number: int) -> tuple[Client, Request]:
        """The request of an operation; those of one row take another row each time."""
        # Rows from everywhere, none of which the search finds.
        place = number * 7919 % self.rows
        one = f"/api/tasks/{task_id(self.user.id, place + (place % self.every == 0))}"
        path = {
            "first page": "/api/tasks",
            "middle page": f"/api/tasks?page={self.rows // 2 // 20}",
            "first page, by cursor": "/api/tasks",
            "middle page, by cursor": f"/api/tasks?cursor={self.cursor}",
            "page that is not full": f"/api/tasks?title={quote(MARKED)}",
            "filter that nothing matches": "/api/tasks?due_date_gte=2100-01-01T00:00:00Z",
            "search": "/api/tasks/search?query=Quarterly",
            "stats": "/api/tasks/stats",
            "get": one,
            "update": one,
            "create": "/api/tasks",
        }[operation]
        client = self.cursors if "cursor" in operation else self.numbered
        match operation:
            case "update":
                return client, Request("PATCH", path, {"title": "Another title"})
            case "create":
                return client, Request("POST", path, {"title": "A new title"})
            case _:
                return client, Request("GET", path)


OPERATIONS = (
    *("first page, by cursor", "middle page, by cursor", "get", "create", "update"),
    *("first page", "middle page", "page that is not full", "filter that nothing matches"),
    *("search", "stats"),
)


class World:
    """A database with a heavy and a light user."""

    def __init__(self, projects: Projects, url: str, rows: int) -> None:
        self.projects = projects
        self.url = url
        projects.numbered.migrate(url)
        environment = projects.numbered.environment
        with ExitStack() as stack:
            numbered, cursors = self.start(stack)
            self.heavy = Case(numbered.register("heavy"), rows)
            self.light = Case(numbered.register("light"), FEW)
            cases = (self.heavy, self.light)
            neighbours = [Rows("", FEW) for _ in range(NEIGHBOURS - 1)]
            fill(environment, url, *neighbours, *(case.half(second=False) for case in cases))
            for case in cases:
                case.connect(numbered, cursors)
                case.remember_middle()
            fill(environment, url, *(case.half(second=True) for case in cases))

    def start(self, stack: ExitStack) -> tuple[Server, Server]:
        """Start both projects, until the stack is left."""
        numbered, cursors = self.projects.numbered, self.projects.cursors
        return (
            stack.enter_context(serve(numbered, self.url)),
            stack.enter_context(serve(cursors, self.url)),
        )


def quotient(times: tuple[float, ...]) -> float:
    """The time in the large database, relative to the one in the small database."""
    few, many = times
    return many / few if few < inf else inf


@dataclass(frozen=True)
class Times:
    """Medians of an operation in ms: of each user, in the small database and in the large one."""

    heavy: tuple[float, ...]
    light: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How the heavy user's time grows with their rows."""
        return quotient(self.heavy)

    @property
    def light_ratio(self) -> float:
        """How the light user's time grows with the rows of the heavy one."""
        return quotient(self.light)


def compare(cases: Sequence[Case], operation: str, effort: Effort) -> tuple[float, ...]:
    """Send requests of the same user to both databases in turn; return the medians in ms."""
    times: list[list[float]] = [[] for _ in cases]
    started = time.monotonic()
    for number in range(effort.requests + WARM_UP):
        if number >= WARM_UP + 3 and time.monotonic() > started + effort.seconds:
            break
        for case, taken in zip(cases, times, strict=True):
            client, request = case.request(operation, number)
            taken.append(client.milliseconds(request))
    return tuple(median(taken[WARM_UP:]) for taken in times)


def measure(worlds: Sequence[World], operations: Sequence[str], effort: Effort) -> dict[str, Times]:
    """Send requests to all servers in turn, and take the times."""
    found = {}
    with ExitStack() as stack:
        for world in worlds:
            servers = world.start(stack)
            for case in (world.heavy, world.light):
                case.connect(*servers)
        for operation in operations:
            # One user after the other: the request after a slow one finds cold caches.
            found[operation] = Times(
                compare([world.heavy for world in worlds], operation, effort),
                compare([world.light for world in worlds], operation, effort),
            )
            print(f"{operation}: {described(found[operation])}", flush=True)
    return found


def described(times: Times) -> str:
    """The times of an operation, as one line."""
    few, many = times.heavy
    alone, beside = times.light
    return (
        f"heavy user {few:.1f} to {many:.1f} ms ({times.ratio:.1f}),"
        f" light user {alone:.1f} to {beside:.1f} ms ({times.light_ratio:.1f})"
    )


def index_statements(project: Project) -> list[str]:
    """The statements that create the optional index for searches, from the project's own docs."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in project.home.glob("docs/*.md"))
    blocks = re.findall(r"```sql\n(.*?)```", text, flags=re.DOTALL)
    statements = [part.strip() for block in blocks if INDEX in block for part in block.split(";")]
    return [statement for statement in statements if statement]


def measure_index(worlds: Sequence[World], effort: Effort) -> dict[str, Times]:
    """Create the index, if the project has one to offer, and search again."""
    project = worlds[0].projects.numbered
    statements = index_statements(project)
    if not statements:
        print("The project's documentation has no index for searches.")
        return {}
    # As the page says. The servers are restarted.
    module = project.home / "app" / "db" / "search.py"
    code = module.read_text(encoding="utf-8")
    module.write_text(code.replace("int | None = None", "int | None = 3"), encoding="utf-8")
    for world in worlds:
        started = time.monotonic()
        for statement in [*statements, "VACUUM ANALYZE tasks"]:
            execute(project.environment, world.url, statement)
        print(f"The index of {world.heavy.rows:,} rows took {time.monotonic() - started:.0f} s.")
    return {"search, with the index": measure(worlds, ["search"], effort)["search"]}


def report(kind: str, found: dict[str, Times], rows: int) -> str:
    """The results on one database, as Markdown."""
    lines = [
        [
            operation,
            *(
                "503" if of == inf else f"{of:.1f}"
                for of in (*times.heavy, times.ratio, *times.light, times.light_ratio)
            ),
        ]
        for operation, times in found.items()
    ]
    head = [
        *("operation", f"{FEW:,} rows", f"{rows:,} rows", "ratio"),
        *(f"light user beside {FEW:,}", f"beside {rows:,}", "ratio"),
    ]
    slow = [name for name, times in found.items() if name in FLAT and times.ratio > GOAL]
    noticed = [name for name, times in found.items() if times.light_ratio > GOAL]
    total = found["first page"].heavy[1] - found["first page, by cursor"].heavy[1]
    return "\n\n".join(
        [
            f"### Rows on {KINDS[kind]}",
            page.table(head, lines),
            f"- the first five operations of the heavy user grow by at most {GOAL}:"
            f" {'not ' + ', '.join(slow) if slow else 'met'}\n"
            f"- the light user does not notice the heavy one:"
            f" {'not true of ' + ', '.join(noticed) if noticed else 'met'}\n"
            f"- the total of a first page of {rows:,} rows costs {total:.1f} ms",
        ]
    )


def main() -> None:
    """Measure, print, and write the section if everything was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rows and requests")
    parser.add_argument("--database", choices=[*KINDS, "both"], default="both")
    asked = parser.parse_args()
    effort = QUICK if asked.quick else Effort()
    kinds = list(KINDS) if asked.database == "both" else [asked.database]
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        projects = Projects(
            render_project(folder / "numbered"),
            render_project(folder / "cursors", {"pagination": "cursor"}),
        )
        environment = projects.numbered.environment
        for kind in kinds:
            print(f"{KINDS[kind]}: storing the rows", flush=True)
            with (
                database(kind, environment, folder) as small,
                database(kind, environment, folder) as large,
            ):
                worlds = [World(projects, small, FEW), World(projects, large, effort.rows)]
                found = measure(worlds, OPERATIONS, effort)
                if kind == "postgresql":
                    found |= measure_index(worlds, effort)
                results.append(report(kind, found, effort.rows))
        used = [
            versions(environment, "fastapi", "sqlalchemy", "asyncpg", "aiosqlite"),
            *([postgres_version(environment)] if "postgresql" in kinds else []),
        ]
    printed = "\n\n".join(results)
    print(f"\n{printed}\n")
    if asked.quick or len(results) < len(KINDS):
        print("Nothing is written: only a complete run without options is.")
        return
    section = SECTION.format(
        rows=effort.rows,
        neighbours=NEIGHBOURS,
        matches=MATCHES,
        results=printed,
        day=datetime.now(tz=UTC).date(),
        cores=os.cpu_count(),
        versions=", ".join([f"Python {platform.python_version()}", *used]),
    )
    page.write(page.GROWTH, section)


if __name__ == "__main__":
    main()
