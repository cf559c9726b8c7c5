"""Measure what a get is spent on, in one process without a server.

Runs in the environment of a project with default answers, whose folder is in PYTHONPATH:
`python pieces.py TOKEN TASK_ID`. Several clients send requests to the app; each millisecond of CPU
time, a signal finds out which code is running. Prints the CPU time of each piece in µs, as JSON.
"""

import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import uvloop
from app.auth.tokens import _verify, read_access_token
from app.main import app
from app.state import get_state

# As many clients as the pool has connections: none of them waits for one.
CLIENTS, WARM_UP, TIMES = 10, 200, 1500
INTERVAL_IN_SECONDS = 0.001
# The innermost function in one of these files, or of one of these names, tells the piece.
PIECES = {
    "the access log": ("logging/", "_log"),
    "the access token": ("/jwt/", "app/auth/"),
    "the statement: asyncpg": ("/asyncpg/",),
    "the statement: `Scope`, the pool, SQLAlchemy": ("/sqlalchemy/", "app/db/"),
    "the schema and its JSON": ("/pydantic/", "app/schemas/", "serialize_response"),
    "dependencies": ("fastapi/dependencies/", "app/dependencies"),
    "routing": ("app/http/routing", "matches", "_match"),
    "middleware": (
        "/middleware/",
        "app/http/middleware",
        "fastapi/_body_limit",
        "fastapi/telemetry/",
    ),
    "the rest of FastAPI and Starlette": ("/fastapi/", "/starlette/", "app/"),
}
REST = "the event loop"


def piece_of(frame: FrameType | None) -> str:
    """Return the piece that a function belongs to, or the one that called it."""
    while frame is not None:
        file, name = frame.f_code.co_filename, frame.f_code.co_name
        for piece, marks in PIECES.items():
            if name in marks or any("/" in mark and mark in file for mark in marks):
                return piece
        frame = frame.f_back
    return REST


async def main(token: str, task_id: str) -> dict[str, float]:
    """Send requests, and return the CPU time of each piece."""
    nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # Until the end.
    logging.getLogger().handlers[0].setStream(nowhere)
    path = f"/api/tasks/{task_id}"
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "headers": [(b"host", b"localhost"), (b"authorization", f"Bearer {token}".encode())],
    }
    samples: Counter[str] = Counter()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        assert message.get("status", 200) == 200, message

    async def client(times: int) -> None:
        for _ in range(times):
            await app({**scope, "state": {}}, receive, send)

    async def send_all(times: int) -> float:
        started = time.process_time()
        await asyncio.gather(*(client(times) for _ in range(CLIENTS)))
        return (time.process_time() - started) / (CLIENTS * times) * 1_000_000

    async with app.router.lifespan_context(app):
        await send_all(WARM_UP)
        whole = await send_all(TIMES)
        signal.signal(signal.SIGPROF, lambda _, frame: samples.update([piece_of(frame)]))
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_IN_SECONDS, INTERVAL_IN_SECONDS)
        await send_all(TIMES)
        signal.setitimer(signal.ITIMER_PROF, 0)
        settings = get_state(app).settings
        started = time.process_time()
        for _ in range(TIMES):
            _verify.cache_clear()
            read_access_token(settings, token)
        first = (time.process_time() - started) / TIMES * 1_000_000
    spent = {piece: whole * samples[piece] / samples.total() for piece in [*PIECES, REST]}
    return {**spent, "first token": first}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main(*sys.argv[1:]))))
