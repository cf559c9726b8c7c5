"""A script for a rendered project: create its tables and rows, or migrate them to its models.

    python driver.py fill ROWS URL…        apply the existing revisions, and insert rows
    python driver.py migrate MESSAGE URL…  create a revision; upgrade, downgrade, upgrade each URL

ROWS is JSON that maps tables to lists of rows. The last line of the output is a report as JSON.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path.cwd()))

import app.models  # noqa: F401
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from app.db.engine import create_engine
from pydantic import TypeAdapter
from scripts import migrations
from sqlalchemy import MetaData, insert, select, text
from sqlmodel import SQLModel

CONFIG = Config(toml_file="pyproject.toml")


def alembic(url: str, action: str, *arguments: str) -> None:
    """Run an Alembic command on a database."""
    os.environ["DATABASE_URL"] = url
    getattr(command, action)(CONFIG, *arguments)


def typed(model: type[SQLModel], row: dict[str, Any]) -> dict[str, Any]:
    """Convert JSON values to those of the model's columns."""
    fields = model.model_fields
    return {
        name: TypeAdapter(fields[name].annotation).validate_python(value)
        for name, value in row.items()
    }


def models() -> dict[str, Any]:
    """Return the models by their tables."""
    return {m.class_.__table__.name: m.class_ for m in SQLModel._sa_registry.mappers}


async def fill(url: str, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Insert rows of one user."""
    engine = create_engine(url)
    async with engine.begin() as connection:
        users = SQLModel.metadata.tables["users"]
        user = {"email": "ada@example.com", "name": None, "password_hash": "x"}
        created_at = typed(models()["users"], {"created_at": "2026-01-01T00:00:00Z"})["created_at"]
        made = insert(users).values(**user, created_at=created_at, password_changed_at=created_at)
        user_id = (await connection.execute(made.returning(users.c.id))).scalar_one()
        for name, found in rows.items():
            table = SQLModel.metadata.tables[name]
            for row in found:
                values = typed(models()[name], row)
                if "user_id" in table.c:
                    values["user_id"] = user_id
                await connection.execute(insert(table).values(**values))
    await engine.dispose()


async def read(url: str, *, by_models: bool = True) -> dict[str, Any]:
    """Return the rows of all tables, as read by the models or as stored."""
    engine = create_engine(url)
    found: dict[str, Any] = {}
    async with engine.connect() as connection:
        stored = MetaData()
        await connection.run_sync(stored.reflect)
        for name, table in stored.tables.items():
            if name in {"alembic_version", "users", "sessions"}:
                continue
            known = SQLModel.metadata.tables.get(name)
            query = select(known if by_models and known is not None else table)
            if "id" in table.c:
                query = query.order_by("id")
            rows = (await connection.execute(query)).mappings()
            found[name] = [dict(row.items()) for row in rows]
        if connection.dialect.name == "sqlite":
            broken = (await connection.execute(text("PRAGMA foreign_key_check"))).all()
            assert not broken, broken
    await engine.dispose()
    return found


def migrate(message: str, urls: list[str]) -> dict[str, Any]:
    """Create a revision, and run it up, down and up again; a rejection is part of the report."""
    before = set(Path("migrations/versions").glob("*.py"))
    parent = str(ScriptDirectory.from_config(CONFIG).get_current_head())
    missing = migrations.check()
    creation_error = migrations.create(message)
    made = set(Path("migrations/versions").glob("*.py")) - before
    report: dict[str, Any] = {
        "missing": missing,
        "creation_error": creation_error,
        "revision": "".join(path.read_text(encoding="utf-8") for path in sorted(made)),
        "databases": [],
    }
    if creation_error or not made:
        return report
    report["drift"] = migrations.check()
    for url in urls:
        steps: dict[str, Any] = {}
        try:
            alembic(url, "upgrade", "head")
            steps["up"] = asyncio.run(read(url))
            alembic(url, "downgrade", parent)
            steps["down"] = asyncio.run(read(url, by_models=False))
            alembic(url, "upgrade", "head")
            steps["again"] = asyncio.run(read(url))
        except CommandError as error:
            steps["error"] = str(error)
            steps["left"] = asyncio.run(read(url, by_models=False))
        report["databases"].append(steps)
    return report


def main(action: str, *arguments: str) -> None:
    """Run the command."""
    if action == "fill":
        rows, *urls = arguments
        for url in urls:
            alembic(url, "upgrade", "head")
            asyncio.run(fill(url, json.loads(rows)))
        print(json.dumps([asyncio.run(read(url)) for url in urls], default=str))
    else:
        message, *urls = arguments
        try:
            report = migrate(message, urls)
        except CommandError as error:
            report = {
                "missing": migrations.check(),
                "creation_error": str(error),
                "revision": "",
                "databases": [],
            }
        print(json.dumps(report, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
