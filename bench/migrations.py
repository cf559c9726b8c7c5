"""Measure how long readers and writers wait while a table of a million rows is changed.

Each kind of change starts from a copy of the same PostgreSQL database. Both phases of the migration
run while two connections read one row and update one row every 10 ms; the longest single call is
the block. Then the two versions are deployed one after the other under load, on a small database,
and the failed requests are counted. The results are docs/migrations.md.

--quick takes 100,000 rows. --only NAME measures one kind. Both print the results and do not write
them.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.page import DOCS, table
from bench.project import Project, database, execute, postgres_version, render_project, versions
from tests.migrations.rows import copy_revisions

BENCH = Path(__file__).resolve().parent
ROLLING = ROOT / "tests" / "migrations" / "rolling.py"
ROWS, QUICK_ROWS = 1_000_000, 100_000
GOAL_SECONDS = 0.1

PROJECT = {"name": "project", "fields": {"name": "str"}}
OLD: dict[str, Any] = {
    "fields": {
        "title": {"type": "str", "max_length": 200},
        "wide": {"type": "str", "max_length": 50},
        "nullable": {"type": "int", "required": False},
        "full": {"type": "str", "required": False},
        "required": "str",
        "indexed": {"type": "str", "index": True},
        "unique": {"type": "str", "unique": True},
        "number": "int",
        "project": {"type": "reference", "to": "project", "required": False},
    },
    "more_resources": [PROJECT],
}
ROWS_SQL = """
    INSERT INTO tasks (id, user_id, created_at, updated_at, title, wide, nullable, "full", required,
                       indexed, "unique", number)
    SELECT gen_random_uuid(), (SELECT id FROM users), now(), now(), repeat('Title ', 20) || i,
           'wide', CASE WHEN i % 2 = 0 THEN i END, 'full', 'required', 'i' || i, 'u' || i, i
    FROM generate_series(1, {rows}) AS i
"""
USER_SQL = """
    INSERT INTO users (id, email, password_hash, password_changed_at, created_at)
    VALUES (gen_random_uuid(), 'many@example.com', 'x', now(), now())
"""


def changed(**specs: Any) -> dict[str, Any]:  # noqa: ANN401
    """The old answers with changed fields; None removes a field."""
    fields = {name: spec for name, spec in {**OLD["fields"], **specs}.items() if spec is not None}
    return {**OLD, "fields": fields}


SHORT = {"type": "str", "max_length": 20}
CHANGES: dict[str, dict[str, Any]] = {
    "a nullable field": changed(added={"type": "str", "required": False}),
    "a field with a default": changed(added={"type": "int", "default": 7}),
    "a field removed": changed(required=None),
    "a field becomes required, half of the rows are filled": changed(
        nullable={"type": "int", "default": 7}
    ),
    "a field becomes required, no row is null": changed(full="str"),
    "a field becomes nullable": changed(required={"type": "str", "required": False}),
    "a longer string": changed(wide={"type": "str", "max_length": 90}),
    "a string becomes a text": changed(wide="text"),
    "a shorter string": changed(wide=SHORT),
    "an index": changed(number={"type": "int", "index": True}),
    "an index removed": changed(indexed="str"),
    "a unique field": changed(indexed={"type": "str", "unique": True}),
    "a field no longer unique": changed(unique="str"),
    "a reference": changed(topic={"type": "reference", "to": "project", "required": False}),
    "references": changed(topic={"type": "references", "to": "project"}),
    "a reference removed": changed(project=None),
    "a resource": {**OLD, "more_resources": [PROJECT, {**PROJECT, "name": "topic"}]},
    "a resource removed": {**changed(project=None), "more_resources": []},
    "`soft_delete` on": {**OLD, "soft_delete": True},
    "`timestamps` off": {**OLD, "timestamps": False},
    "a field renamed": changed(wide=None, broad={**OLD["fields"]["wide"], "renamed_from": "wide"}),
    "an integer becomes a decimal": changed(number="decimal"),
}

PAGE = """# What migrations cost

`make bench BENCHES=migrations` writes this page. A project on {postgres}, with one table of
{rows:,} rows, is changed in each of these ways: `copier update`, `make migration`,
`make migrate PHASE=before`, `make migrate`. Meanwhile, two other connections read one row and
update one row every 10 ms; the longest single call is the block. Without a migration, the longest
calls took {idle}.

Then a small database is migrated during a rolling deployment: the old version serves {clients}
clients, the first phase is applied, the new version serves as many beside the old one, which stops,
and the second phase is applied. A request fails if its status is 500 or more, or if there is none.

{results}

Kinds with a stop change what both versions use: the page on migrations of a project describes the
way in two releases. Goal: blocks of at most {goal} s, and no failed request, without a stop.

Measured on {day} on {cores} cores with {versions}. Other programs run on the same machine.
"""


@dataclass(frozen=True)
class Measured:
    """The results of a kind of change."""

    phases: str
    read: float
    write: float
    seconds: float
    requests: int
    failed: int


class Bench:
    """A filled database, and the project that has its tables."""

    def __init__(self, old: Project, url: str, folder: Path) -> None:
        self.old = old
        self.url = url
        self.folder = folder
        self.environment = old.environment

    def run(self, project: Project, url: str, *command: str, **variables: str) -> str:
        """Run a command of a project on a database."""
        python = str(self.environment.python)
        return self.environment.check(
            project.home, python, *command, DATABASE_URL=url, LOG_LEVEL="error", **variables
        )

    def probe(self, url: str) -> "subprocess.Popen[str]":
        """Start to read and write."""
        command = [str(self.environment.python), str(BENCH / "probe.py"), url]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    def idle(self) -> tuple[float, float]:
        """The longest calls without a migration."""
        process = self.probe(self.url)
        time.sleep(5)
        read, write = json.loads(process.communicate()[0])
        return read, write

    def new_project(self, number: int, name: str, answers: dict[str, Any]) -> Project:
        """The changed project with its revisions."""
        new = render_project(self.folder / f"new{number}", answers)
        copy_revisions(self.old.home, new.home)
        self.run(new, self.url, "-m", "scripts.migrations", "create", MESSAGE=name)
        return new

    def measure(self, number: int, name: str, answers: dict[str, Any]) -> Measured:
        """Migrate a copy of the database, then deploy on a small one."""
        new = self.new_project(number, name, answers)
        copy = f"{urlsplit(self.url).path.removeprefix('/')}_copy"
        url = urlunsplit(urlsplit(self.url)._replace(path=f"/{copy}"))
        server = urlunsplit(urlsplit(self.url)._replace(path="/postgres"))
        source = copy.removesuffix("_copy")
        execute(self.environment, server, f'CREATE DATABASE "{copy}" TEMPLATE "{source}"')
        try:
            process = self.probe(url)
            started = time.monotonic()
            output = self.run(new, url, "-m", "migrations", "before")
            output += self.run(new, url, "-m", "migrations")
            seconds = time.monotonic() - started
            read, write = json.loads(process.communicate()[0])
        finally:
            execute(self.environment, server, f'DROP DATABASE "{copy}" WITH (FORCE)')
        stop = "during a stop" in output or "Stop the service" in output
        phases = "stop" if stop else self.phases(new)
        requests = failed = 0
        if not stop:
            with database("postgresql", self.environment, self.folder) as small:
                self.old.migrate(small)
                printed = self.run(new, small, str(ROLLING), str(self.old.home), str(new.home))
            report = json.loads(printed.strip().splitlines()[-1])
            requests = sum(sum(sent.values()) for sent in report["sent"])
            failed = len(report["failed"])
            for failure in report["failed"][:3]:
                print(failure, file=sys.stderr)
        return Measured(phases, read, write, seconds, requests, failed)

    def phases(self, new: Project) -> str:
        """The phases of the revisions."""
        found = {
            line.partition('"')[2].rstrip('"')
            for path in sorted((new.home / "migrations" / "versions").glob("2*.py"))
            for line in path.read_text(encoding="utf-8").splitlines()
            if line.startswith("phase: ")
        }
        return ", ".join(sorted(found, reverse=True)) or "none"


def row(name: str, found: Measured) -> list[str]:
    """A row of the table."""
    served = "" if found.phases == "stop" else f"{found.failed} of {found.requests}"
    read, write = f"{found.read:.2f} s", f"{found.write:.2f} s"
    return [name, found.phases, read, write, f"{found.seconds:.1f} s", served]


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rows; only print the results")
    parser.add_argument("--only", help="measure one kind; only print the results")
    options = parser.parse_args()
    rows = QUICK_ROWS if options.quick else ROWS
    chosen = {name: new for name, new in CHANGES.items() if options.only in {None, name}}
    head = ["change", "phases", "longest read", "longest write", "took", "failed requests"]
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        old = render_project(folder / "old", OLD)
        with database("postgresql", old.environment, folder) as url:
            old.migrate(url)
            execute(old.environment, url, USER_SQL)
            execute(old.environment, url, ROWS_SQL.format(rows=rows))
            execute(old.environment, url, "VACUUM ANALYZE")
            bench = Bench(old, url, folder)
            idle = "{:.3f} s and {:.3f} s".format(*bench.idle())
            print(f"Without a migration: {idle}")
            for number, (kind, answers) in enumerate(chosen.items()):
                results.append(row(kind, bench.measure(number, kind, answers)))
                print("  ".join(results[-1]), flush=True)
    if options.quick or options.only:
        return
    packages = versions(old.environment, "alembic", "asyncpg")
    page = PAGE.format(
        postgres=postgres_version(old.environment),
        rows=rows,
        idle=idle,
        clients=4,
        results=table(head, results),
        goal=GOAL_SECONDS,
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        cores=os.cpu_count(),
        versions=f"Python {platform.python_version()}, {packages}",
    )
    (DOCS / "migrations.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
