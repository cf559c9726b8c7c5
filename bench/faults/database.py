"""Faults of PostgreSQL and of disks, and writers that disturb each other."""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from bench.faults.clients import Client, load
from bench.faults.servers import Cluster, cluster, small_disk, wait_until
from bench.faults.stage import App, Seen, Stage, pool_size

BEFORE_SECONDS = 1
AFTER_SECONDS = 2
KILLED_SECONDS = 5
FROZEN_SECONDS = 20
LOCKED_SECONDS = 8
WRITERS = 16
DISK_MEGABYTES = 32
LEFT_BYTES = 200_000
MANY_ROWS = [{"title": "one more", "description": "long " * 200}] * 100
TERMINATE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = 'app' AND pid <> pg_backend_pid()
"""


def during(stage: Stage, fault: Callable[[App], None], clients: int = 4) -> Seen:
    """Read and write before, during and after a fault."""
    with stage.app() as app, load(app.port, app.token, readers=clients, writers=clients) as found:
        time.sleep(BEFORE_SECONDS)
        fault(app)
        ended = time.monotonic()
        time.sleep(AFTER_SECONDS)
    return stage.seen(found, ended)


def killed(stage: Stage) -> Seen:
    """Kill all processes of the database, and start it again a little later."""

    def fault(_app: App) -> None:
        stage.cluster.kill()
        time.sleep(KILLED_SECONDS)
        stage.cluster.start()

    return during(stage, fault)


def frozen(stage: Stage) -> Seen:
    """Stop all processes of the database, which keep their connections."""

    def fault(app: App) -> None:
        with stage.cluster.frozen():
            time.sleep(FROZEN_SECONDS)
            assert app.is_healthy()

    return during(stage, fault)


def idle_terminated(stage: Stage) -> Seen:
    """Terminate the connections of an app that has nothing to do: no client should notice."""
    with stage.app() as app:
        with load(app.port, app.token):
            time.sleep(BEFORE_SECONDS)
        stage.cluster.run(TERMINATE)
        with load(app.port, app.token) as found:
            time.sleep(AFTER_SECONDS)
    seen = stage.seen(found)
    seen.allowed = frozenset()
    return seen


def terminated(stage: Stage) -> Seen:
    """Terminate the connections again and again while they are used."""

    def fault(_app: App) -> None:
        for _ in range(5):
            stage.cluster.run(TERMINATE)
            time.sleep(0.3)

    seen = during(stage, fault)
    seen.noticed = False
    return seen


def read_only(stage: Stage) -> Seen:
    """Make the database read-only for a while, as during a failover."""

    def switch(statement: str) -> None:
        stage.cluster.run(f"{statement}\n;SELECT pg_reload_conf();")

    def fault(app: App) -> None:
        switch("ALTER SYSTEM SET default_transaction_read_only = on")
        time.sleep(3)
        assert app.send("GET", "/api/tasks").status == 200
        # The setting applies to this session, too.
        switch("SET transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only")

    return during(stage, fault)


def exhausted(stage: Stage) -> Seen:
    """Let another session lock the table, so that requests keep all connections of the pool."""

    def fault(_app: App) -> None:
        with stage.cluster.locked("LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE"):
            time.sleep(LOCKED_SECONDS)

    return during(stage, fault, clients=pool_size(stage.home))


def started_first(stage: Stage) -> Seen:
    """Start the app before the database."""
    with stage.app() as app:
        token = app.token
    stage.cluster.kill()
    with stage.app(ready=False) as app:
        assert app.send("GET", "/ready").status == 503
        with load(app.port, token) as found:
            time.sleep(BEFORE_SECONDS)
            stage.cluster.start()
            ended = time.monotonic()
            wait_until(app.is_ready, "the end of the 503 of /ready")
            note = f"`/ready` is 200 after {time.monotonic() - ended:.1f} s"
            time.sleep(AFTER_SECONDS)
    return stage.seen(found, ended, note=note)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Fill a disk almost, until the block ends."""
    ballast = disk / "ballast"
    space = os.statvfs(disk)
    # Others write meanwhile, so that it may be full earlier.
    with suppress(OSError):
        ballast.write_bytes(bytes(max(0, space.f_bavail * space.f_frsize - LEFT_BYTES)))
    try:
        yield
    finally:
        ballast.unlink()


def run_full(app: App, disk: Path) -> int:
    """Fill a disk until a write fails, and make room a little later; return the status of reads."""

    def failed() -> bool:
        app.send("POST", "/api/tasks/bulk", MANY_ROWS)
        # As small as those of the clients.
        return app.send("POST", "/api/tasks", {"title": "one more"}).status >= 500

    with filled(disk):
        wait_until(failed, "the first failure")
        time.sleep(AFTER_SECONDS)
        return app.send("GET", "/api/tasks").status


@contextmanager
def on_small_disk(server: Cluster) -> Iterator[Path]:
    """Keep the table on a small disk until the block ends."""
    with small_disk(DISK_MEGABYTES) as disk:
        server.run("TRUNCATE tasks")
        server.run(f"CREATE TABLESPACE small LOCATION '{disk}'")
        server.run("ALTER TABLE tasks SET TABLESPACE small")
        try:
            yield disk
        finally:
            server.run("ALTER TABLE tasks SET TABLESPACE pg_default")
            server.run("DROP TABLESPACE small")


def disk_full(stage: Stage) -> Seen:
    """Fill the disk of the table."""

    def fault(app: App) -> None:
        assert run_full(app, disk) == 200

    with on_small_disk(stage.cluster) as disk:
        return during(stage, fault)


def log_disk_full(stage: Stage) -> Seen:
    """Fill the disk of the write-ahead log, without which PostgreSQL stops."""
    with (
        small_disk(DISK_MEGABYTES) as disk,
        cluster(f"--waldir={disk / 'log'}", "--wal-segsize=1") as server,
    ):
        own = replace(stage, cluster=server)
        own.migrate()

        def fault(app: App) -> None:
            run_full(app, disk)
            # It tries to recover by itself, but may give up.
            if server.has_ended():
                server.start()
            wait_until(server.answers, "the recovery of the database")

        return during(own, fault)


def sqlite_disk_full(stage: Stage) -> Seen:
    """Fill the disk of a SQLite file."""
    with small_disk(DISK_MEGABYTES) as disk:
        file = disk / "app.db"
        url = f"sqlite:///{file}"
        stage.migrate(DATABASE_URL=url)
        with stage.app(DATABASE_URL=url) as app, load(app.port, app.token) as found:
            time.sleep(BEFORE_SECONDS)
            assert run_full(app, disk) == 200
            ended = time.monotonic()
            time.sleep(AFTER_SECONDS)
        return stage.seen(found, ended, file=file)


def one_row(stage: Stage) -> Seen:
    """Count in one row with many clients, each of which adds one if nobody else did meanwhile."""
    added: list[int] = []
    with stage.app() as app:
        created = app.send("POST", "/api/tasks", {"title": "counter", "description": "0"})
        path = f"/api/tasks/{created.content['id']}"

        def add(client: Client, _number: int) -> bool:
            read = client.send("GET", path)
            value = int(read.content["description"]) if read.status == 200 else 0
            match = {"If-Match": read.headers.get("ETag", "")}
            body = {"description": str(value + 1)}
            if client.send("PATCH", path, body, headers=match).status == 200:
                added.append(value + 1)
            return True

        with load(app.port, app.token, readers=0, writers=0, others=(add,) * WRITERS) as found:
            time.sleep(2 * AFTER_SECONDS)
        value = int(app.send("GET", path).content["description"])
    note = f"{value} updates with `If-Match`; 412: another client had updated the row"
    wrong = () if value else ("nothing was counted",)
    return Seen(
        found.statuses(),
        found.longest(),
        lost=abs(len(added) - value),
        note=note,
        allowed=frozenset({412}),
        heals=False,
        wrong=wrong,
    )


def one_file(stage: Stage) -> Seen:
    """Write to one SQLite file with many clients."""
    file = stage.folder / f"{secrets.token_hex(4)}.db"
    url = f"sqlite:///{file}"
    stage.migrate(DATABASE_URL=url)
    with (
        stage.app(DATABASE_URL=url) as app,
        load(app.port, app.token, readers=0, writers=WRITERS) as found,
    ):
        time.sleep(2 * AFTER_SECONDS)
    seen = stage.seen(found, file=file)
    seen.allowed = frozenset()
    return seen


FAULTS: dict[str, Callable[[Stage], Seen]] = {
    f"the database is killed, and started again {KILLED_SECONDS} s later": killed,
    f"the database is frozen for {FROZEN_SECONDS} s": frozen,
    "idle connections are terminated": idle_terminated,
    "connections are terminated five times while they are used": terminated,
    "the database is read-only for 3 s": read_only,
    f"the table is locked for {LOCKED_SECONDS} s, and the pool is exhausted": exhausted,
    "the app is started before the database": started_first,
    "the disk of the table is full": disk_full,
    "the disk of the write-ahead log is full": log_disk_full,
    f"{WRITERS} writers on one row": one_row,
    f"SQLite: {WRITERS} writers on one file": one_file,
    "SQLite: the disk is full": sqlite_disk_full,
}
