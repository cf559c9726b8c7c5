"""The floor: what this stack can do at most, on the tables of a project with default answers.

Starlette, raw asyncpg and orjson, without validation, authentication, middleware or OpenAPI. The
owner of the rows is read from a header. On SQLite, it calls the standard library's driver in the
event loop. Its answers are those of the project, which bench/speed.py compares.
"""

import contextlib
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uuid_utils.compat import uuid7

URL = os.environ["DATABASE_URL"]
ON_SQLITE = URL.startswith("sqlite:///")
PAGE_SIZE = 20
NAMES = (
    *("id", "title", "description", "completed", "priority", "due_date", "tags"),
    *("user_id", "created_at", "updated_at"),
)
ID, COMPLETED, TAGS, USER = map(NAMES.index, ("id", "completed", "tags", "user_id"))
TIMES = tuple(map(NAMES.index, ("due_date", "created_at", "updated_at")))
COLUMNS = ", ".join(NAMES)

GET = f"SELECT {COLUMNS} FROM tasks WHERE id = $1 AND user_id = $2"
LIST = f"""SELECT {COLUMNS}, (SELECT count(*) FROM tasks WHERE user_id = $1)
FROM tasks WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT {PAGE_SIZE}"""
SEARCH = f"""SELECT {COLUMNS}, count(*) OVER ()
FROM tasks WHERE user_id = $1 AND (title ILIKE $2 OR description ILIKE $2)
ORDER BY created_at DESC, id DESC LIMIT {PAGE_SIZE}"""
CREATE = f"""INSERT INTO tasks ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
RETURNING {COLUMNS}"""
UPDATE = f"""UPDATE tasks SET title = $3, updated_at = $4 WHERE id = $1 AND user_id = $2
RETURNING {COLUMNS}"""


class Postgres:
    """asyncpg's own pool, with its default size and its RESET after each use."""

    async def open(self) -> None:
        self.pool = await asyncpg.create_pool(URL, min_size=1, init=self.prepare)

    async def prepare(self, connection: asyncpg.Connection) -> None:
        """Exchange JSON as text, which is neither parsed nor written again."""
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=str, decoder=orjson.Fragment
        )

    async def fetch(self, statement: str, *values: object) -> Sequence[Any]:
        rows: Sequence[Any] = await self.pool.fetch(statement, *values)
        return rows

    async def close(self) -> None:
        await self.pool.close()


class SQLite:
    """One connection, used in the event loop."""

    async def open(self) -> None:
        self.connection = sqlite3.connect(URL.removeprefix("sqlite:///"), isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 5000"):
            self.connection.execute(f"PRAGMA {pragma}")

    async def fetch(self, statement: str, *values: object) -> Sequence[Any]:
        statement = statement.replace("$", "?").replace("ILIKE", "LIKE")
        rows = self.connection.execute(statement, tuple(map(self.stored, values))).fetchall()
        return [self.read(row) for row in rows]

    @staticmethod
    def stored(value: object) -> object:
        if isinstance(value, UUID):
            return value.hex
        if isinstance(value, datetime):
            return value.strftime("%Y-%m-%d %H:%M:%S.%f")
        return value

    @staticmethod
    def read(row: Sequence[Any]) -> list[Any]:
        """The values of a row as PostgreSQL has them."""
        values = list(row)
        for place in (ID, USER):
            text = values[place]
            values[place] = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
        for place in TIMES:
            values[place] = values[place] and datetime.fromisoformat(values[place])
        values[COMPLETED] = bool(values[COMPLETED])
        values[TAGS] = orjson.Fragment(values[TAGS])
        return values

    async def close(self) -> None:
        self.connection.close()


database = SQLite() if ON_SQLITE else Postgres()


def respond(content: object, status: int = 200) -> Response:
    """A response with JSON."""
    body = orjson.dumps(content, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC)
    return Response(body, status, media_type="application/json")


def page(rows: Sequence[Any]) -> Response:
    """The first page of a list."""
    total = rows[0][len(NAMES)] if rows else 0
    pagination = {
        "total": total,
        "page": 1,
        "page_size": PAGE_SIZE,
        "total_pages": -(-total // PAGE_SIZE),
        "has_previous": False,
        "has_next": total > PAGE_SIZE,
    }
    items = [dict(zip(NAMES, row, strict=False)) for row in rows]
    return respond({"items": items, "pagination": pagination})


def one(rows: Sequence[Any], status: int = 200) -> Response:
    """One row, or 404."""
    return respond(dict(zip(NAMES, rows[0], strict=False)), status) if rows else Response("", 404)


def owner(request: Request) -> UUID:
    """The user whose rows are meant."""
    return UUID(request.headers["x-user-id"])


async def list_tasks(request: Request) -> Response:
    """The first page of a user's tasks."""
    return page(await database.fetch(LIST, owner(request)))


async def search_tasks(request: Request) -> Response:
    """The first page of a user's tasks that contain a text."""
    wanted = f"%{request.query_params['query']}%"
    return page(await database.fetch(SEARCH, owner(request), wanted))


async def get_task(request: Request) -> Response:
    """A task."""
    return one(await database.fetch(GET, UUID(request.path_params["task_id"]), owner(request)))


async def create_task(request: Request) -> Response:
    """A new task."""
    data = orjson.loads(await request.body())
    now = datetime.now(UTC)
    rows = await database.fetch(
        CREATE,
        *(uuid7(), data["title"], data["description"], False, data["priority"]),
        *(datetime.fromisoformat(data["due_date"]), json.dumps(data["tags"])),
        *(owner(request), now, now),
    )
    return one(rows, 201)


async def update_task(request: Request) -> Response:
    """A changed task."""
    data = orjson.loads(await request.body())
    found = UUID(request.path_params["task_id"])
    now = datetime.now(UTC)
    return one(await database.fetch(UPDATE, found, owner(request), data["title"], now))


async def health(_request: Request) -> Response:
    """The process is running."""
    return respond({"status": "healthy"})


@contextlib.asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[None]:
    """Connect at the start."""
    await database.open()
    yield
    await database.close()


app = Starlette(
    routes=[
        Route("/api/tasks", list_tasks),
        Route("/api/tasks", create_task, methods=["POST"]),
        Route("/api/tasks/search", search_tasks),
        Route("/api/tasks/{task_id}", get_task),
        Route("/api/tasks/{task_id}", update_task, methods=["PATCH"]),
        Route("/health", health),
    ],
    lifespan=lifespan,
)
