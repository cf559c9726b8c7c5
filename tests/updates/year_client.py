"""A script for a project: read the rows of its database, or use its API as clients do.

    python year_client.py read
    python year_client.py use NAME BODIES

BODIES is JSON that maps paths to the bodies that are sent there. The last line of the output is the
rows as JSON, in both cases.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path.cwd()))

import httpx
import sqlalchemy as sa
from app.db.engine import create_engine
from app.factory import create_app

PASSWORD = "correct horse battery staple"


def rows(connection: sa.Connection) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of all tables, as they are stored."""
    tables = sorted(set(sa.inspect(connection).get_table_names()) - {"alembic_version"})
    return {
        table: [
            dict(row) for row in connection.execute(sa.text(f"SELECT * FROM {table}")).mappings()
        ]
        for table in tables
    }


async def read() -> dict[str, list[dict[str, Any]]]:
    """Read the rows of the database."""
    engine = create_engine(os.environ["DATABASE_URL"])
    async with engine.connect() as connection:
        found = await connection.run_sync(rows)
    await engine.dispose()
    return found


async def send(client: httpx.AsyncClient, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401
    """Send a request that must succeed, and return the body of the response."""
    response = await client.request(method, path, **options)
    assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
    return response.json() if response.content else None


async def log_in(client: httpx.AsyncClient, name: str) -> None:
    """Log in, and register before if there is no such user."""
    user = {"email": f"{name}@example.com", "password": PASSWORD}
    response = await client.post("/api/auth/login", json=user)
    if response.status_code == 401:
        await send(client, "POST", "/api/auth/register", json=user)
        response = await client.post("/api/auth/login", json=user)
    client.headers["Authorization"] = f"Bearer {response.raise_for_status().json()['access_token']}"


async def use(name: str, bodies: dict[str, dict[str, Any]]) -> None:
    """Create and list a row at each path, as a user of the first month and as a new one."""
    app = create_app()
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        for user in (name, "ada"):
            await log_in(client, user)
            for path, body in bodies.items():
                created = await send(client, "POST", path, json=body)
                if created is None:
                    continue
                page = await send(client, "GET", path)
                assert created in page["items"], f"{path}: {created} is not in {page}"


def main(action: str, *arguments: str) -> None:
    """Run the command, and print its result."""
    if action == "use":
        name, bodies = arguments
        asyncio.run(use(name, json.loads(bodies)))
    print(json.dumps(asyncio.run(read()), default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
