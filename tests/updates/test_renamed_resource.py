"""docs/updating.md has a revision that renames the table of a resource, and keeps its rows."""

import json
import re
from pathlib import Path

import pytest

from tests.migrations.changes import ALL
from tests.support.environment import Environment
from tests.support.postgres import Postgres, empty_database
from tests.support.rendering import ROOT
from tests.support.updating import NEWEST, start, update

DRIVER = ROOT / "tests" / "migrations" / "driver.py"
ANSWERS = {"resource_name": "note", "fields": {"title": "str"}}
RENAMED = {"resource_name": "memo", "resource_plural": "memos"}
ROW = {
    "title": "Water",
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
}
# Prints the tables that exist, the titles in one of them, and the constraints of all tables.
READ = """
import asyncio, json, os, sys
import sqlalchemy as sa
from app.db.engine import create_engine

def read(connection):
    inspector = sa.inspect(connection)
    tables = sorted(set(inspector.get_table_names()) - {"alembic_version"})
    keys = [key["name"] for table in tables for key in inspector.get_foreign_keys(table)]
    titles = connection.execute(sa.text(f"SELECT title FROM {sys.argv[1]}")).scalars().all()
    return {"tables": tables, "titles": titles, "keys": sorted(keys)}

async def main():
    engine = create_engine(os.environ["DATABASE_URL"])
    async with engine.connect() as connection:
        print(json.dumps(await connection.run_sync(read)))
    await engine.dispose()

asyncio.run(main())
"""


@pytest.mark.long
@pytest.mark.parametrize("id_type", ["uuid", "int"] if ALL else ["int"])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_revision_of_the_page_keeps_rows(
    kind: str,
    id_type: str,
    *,
    releases: Path,
    environment: Environment,
    postgres: Postgres,
    tmp_path: Path,
) -> None:
    project = start(releases, tmp_path / "app", ANSWERS | {"id_type": id_type}, NEWEST)
    page = (project / "docs" / "updating.md").read_text(encoding="utf-8")
    [functions] = re.findall(r"```python\n(def rename.*?)```", page, re.DOTALL)
    row = ROW if id_type == "int" else ROW | {"id": "01980e4c-7d2f-7cc3-8a5b-3f1e6d9b2a40"}
    with empty_database(kind, tmp_path / "rows.db", postgres) as url:
        rows = json.dumps({"notes": [row]})
        environment.check(project, "python", str(DRIVER), "fill", rows, url)
        update(project, RENAMED)
        environment.check(project, "python", "-m", "scripts.migrations", "create", MESSAGE="memos")
        versions = project / "migrations" / "versions"
        [revision] = versions.glob("*_memos.py")
        [second] = versions.glob("*_memos_*.py")
        second.unlink()
        header = revision.read_text(encoding="utf-8").partition("\ndef upgrade()")[0]
        assert header.count('phase: str = "before"') == 1
        header = header.replace('phase: str = "before"', 'phase: str = "stop"')
        revision.write_text(f"{header.rstrip()}\n\n\n{functions}", encoding="utf-8")
        for target, table in (("head", "memos"), ("-1", "notes"), ("head", "memos")):
            action = "downgrade" if target == "-1" else "upgrade"
            environment.check(project, "alembic", action, target, DATABASE_URL=url)
            found = json.loads(
                environment.check(project, "python", "-c", READ, table, DATABASE_URL=url)
            )
            assert found == {
                "tables": sorted([table, "sessions", "users"]),
                "titles": ["Water"],
                "keys": sorted(["fk_sessions_user_id_users", f"fk_{table}_user_id_users"]),
            }
        environment.check(project, "alembic", "check", DATABASE_URL=url)
    environment.check(project, "ruff", "check", "--fix", "--no-cache", "migrations/versions")
    environment.check(project, "ruff", "format", "--check", "--no-cache", "migrations/versions")
