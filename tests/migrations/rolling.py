"""A script that deploys a new version of a project while clients send requests.

    python rolling.py OLD NEW

The old project serves; the new one applies the revisions of the first phase, serves beside the old
one, and applies the others when the old one has stopped. The database is that of `DATABASE_URL`,
which has the tables of the old project. The last line of the output is a report as JSON.
"""

import asyncio
import json
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

CLIENTS = 4
SECONDS = 1
START_SECONDS = 30
USER = {"email": "rolling@example.com", "password": "correct horse battery staple"}


@dataclass
class Body:
    """A body that creates a task: values, and the names of strings and of what may be null."""

    values: dict[str, Any]
    strings: set[str]
    nullable: set[str]

    def task(self, number: int) -> dict[str, Any]:
        """Return a body with other strings, as some are unique; every second has all the nulls."""
        # At most five characters.
        strings = dict.fromkeys(self.strings, f"{number}")
        nulls = dict.fromkeys(self.nullable) if number % 2 else {}
        return {**self.values, **strings, **nulls}


@dataclass
class Load:
    """The requests to one process, and those that failed."""

    port: int
    sent: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    stopping: bool = False

    async def send(
        self, client: httpx.AsyncClient, method: str, path: str, json: object = None
    ) -> dict[str, Any]:
        """Send a request; a status of 500 or more, or none, is a failure."""
        url = f"http://127.0.0.1:{self.port}{path}"
        try:
            response = await client.request(method, url, json=json)
        except httpx.HTTPError as error:
            self.failed.append(f"{method} {path}: {error!r}")
            return {}
        self.sent[f"{method} {response.status_code}"] += 1
        if response.status_code >= 500:
            self.failed.append(f"{method} {path}: {response.status_code} {response.text[:300]}")
        return dict(response.json()) if response.content else {}

    async def run(self, headers: dict[str, str], body: Body) -> None:
        """Create, read, change, list and delete rows, until `stopping` is set."""
        async with httpx.AsyncClient(headers=headers, timeout=10) as client:
            number = 0
            while not self.stopping:
                number += 1
                task = {**body.task(number), "title": f"{number} {self.port}"}
                row = await self.send(client, "POST", "/api/tasks", json=task)
                path = f"/api/tasks/{row.get('id')}"
                if "id" in row:
                    await self.send(client, "GET", path)
                    await self.send(client, "PATCH", path, json={"title": f"changed {number}"})
                    if number % 3 == 0:
                        await self.send(client, "DELETE", path)
                await self.send(client, "GET", "/api/tasks?page_size=5")


def free_port() -> int:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@asynccontextmanager
async def serve(project: Path) -> AsyncIterator[int]:
    """Run a project, and yield its port."""
    port = free_port()
    options = ["--port", str(port), "--no-access-log", "--log-level", "warning"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "uvicorn", "app.main:app", *options, cwd=project
    )
    try:
        end = time.monotonic() + START_SECONDS
        async with httpx.AsyncClient() as client:
            while time.monotonic() < end:
                with suppress(httpx.HTTPError):
                    await client.get(f"http://127.0.0.1:{port}/health")
                    break
                await asyncio.sleep(0.05)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def log_in(port: int) -> dict[str, str]:
    """Register a user, and return the headers of their requests."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/auth") as client:
        (await client.post("/register", json=USER)).raise_for_status()
        tokens = (await client.post("/login", json=USER)).raise_for_status().json()
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def run(project: Path, *command: str) -> str:
    """Run Python in a project, and return what was printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        cwd=project,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def schema_of(project: Path) -> dict[str, Any]:
    """Return the JSON schema of a body that creates a task."""
    code = "import json; from app.main import app; print(json.dumps(app.openapi()))"
    document = json.loads((await run(project, "-c", code)).splitlines()[-1])
    return dict(document["components"]["schemas"]["TaskCreate"])


def body_of(schema: dict[str, Any], required: set[str]) -> Body:
    """Return a body without references, and without nulls in the fields that become required."""
    [example, *_] = schema["examples"]
    values = {name: value for name, value in example.items() if not name.endswith(("_id", "_ids"))}
    shapes = {
        name: [shape, *shape.get("anyOf", ())]
        for name, shape in schema["properties"].items()
        if name in values
    }
    return Body(
        values,
        strings={
            name
            for name, kinds in shapes.items()
            if any(kind.get("type") == "string" and "format" not in kind for kind in kinds)
        },
        nullable={
            name
            for name, kinds in shapes.items()
            if {"type": "null"} in kinds and name not in required
        },
    )


@asynccontextmanager
async def under_load(
    port: int, headers: dict[str, str], body: Body, loads: list[Load]
) -> AsyncIterator[None]:
    """Send requests to a process while the block runs."""
    load = Load(port)
    loads.append(load)
    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(load.run(headers, body))
        await asyncio.sleep(SECONDS)
        try:
            yield
        finally:
            load.stopping = True


async def deploy(old: Path, new: Path) -> dict[str, Any]:
    """Replace the old version by the new one."""
    loads: list[Load] = []
    schemas = [await schema_of(project) for project in (old, new)]
    # A default fills the nulls of a column that becomes required; without one they are refused.
    bodies = [body_of(schema, set(schemas[1]["required"])) for schema in schemas]
    async with AsyncExitStack() as later:
        async with serve(old) as port:
            headers = await log_in(port)
            async with under_load(port, headers, bodies[0], loads):
                first = await run(new, "-m", "migrations", "before")
                other = await later.enter_async_context(serve(new))
                await later.enter_async_context(under_load(other, headers, bodies[1], loads))
        # The old version has stopped, and answered all of its requests before.
        second = await run(new, "-m", "migrations")
        await asyncio.sleep(SECONDS)
    return {
        "output": [first, second],
        "sent": [dict(load.sent) for load in loads],
        "failed": [failure for load in loads for failure in load.failed],
    }


if __name__ == "__main__":
    os.environ.update(JWT_SECRET_KEY="not a secret, but at least 32 bytes", LOG_LEVEL="error")
    print(json.dumps(asyncio.run(deploy(Path(sys.argv[1]), Path(sys.argv[2])))))
