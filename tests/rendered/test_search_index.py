"""The index for searches in docs/search.md: PostgreSQL creates it, and uses it."""

import json
import re
from pathlib import Path

import pytest

from tests.support.environment import Environment
from tests.support.postgres import Postgres
from tests.support.rendering import render

pytestmark = pytest.mark.long

ROWS = """
INSERT INTO users (id, email, password_hash, password_changed_at, created_at)
    VALUES ('{user}', 'ada@example.com', '', now(), now());
INSERT INTO sessions (id, user_id, family_hash, token_hash, created_at, expires_at)
    VALUES ('{user}', '{user}', '', '', now(), now());
INSERT INTO tasks (id, user_id, created_at, updated_at, title, completed, priority, tags)
    SELECT gen_random_uuid(), '{user}', now(), now(), 'Ärger with ' || md5(n::text), false, 'low',
        '[]' FROM generate_series(1, 20000) AS n;
UPDATE tasks SET title = 'The 100% QUARTERLY report' WHERE id = (SELECT id FROM tasks LIMIT 1)
"""
USER = "00000000-0000-4000-8000-000000000001"

# Executes statements, and prints the plan of each search, and how many rows it finds.
SCRIPT = """
import asyncio, json, sys
from uuid import UUID
from sqlalchemy import text
from app.db.database import Database
from app.db.filters import read_query
from app.db.pagination import _select_page
from app.db.prepared import prepare
from app.db.search import matches
from app.models.task import Task
from app.schemas.task import TaskSearch

async def main(url, user, statements, searches):
    database = Database(url)
    for statement in statements:
        await database.execute(text(statement))
    plans = []
    for wanted in searches:
        found = matches(Task, wanted, "title", "description")
        shape, values = read_query(TaskSearch(query=wanted), found)
        values |= {"_user_id": UUID(user), "_session_id": UUID(user)}
        values |= {"_page_size": 20, "_offset": 0}
        statement = _select_page(Task, shape)
        rows = await database.execute(statement, values)
        prepared = prepare(statement, database.engine.dialect, values)
        async with database.transaction() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            sql = f"EXPLAIN {prepared.sql}"
            lines = await driver.fetch_rows(sql, prepared.arguments(values))
        plans.append((rows[0]["_total"] or len(rows) if rows else 0, [line[0] for line in lines]))
    await database.dispose()
    print(json.dumps(plans))

asyncio.run(main(*sys.argv[1:3], *map(json.loads, sys.argv[3:])))
"""


def test_index_for_searches(
    template: Path, tmp_path: Path, environment: Environment, postgres: Postgres
) -> None:
    project = render(template, tmp_path / "project", {})
    page = (project / "docs" / "search.md").read_text(encoding="utf-8")
    module = project / "app" / "db" / "search.py"
    code = module.read_text(encoding="utf-8")
    module.write_text(code.replace("int | None = None", "int | None = 3"), encoding="utf-8")
    [documented] = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    statements = [
        statement.strip()
        for text in (ROWS.format(user=USER), documented)
        for statement in text.split(";")
        if statement.strip()
    ]
    searches = ["100% quarterly", "00_ quarterly", "ärger with", "rt"]
    with postgres.database() as url:
        environment.check(project, "alembic", "upgrade", "head", DATABASE_URL=url)
        given = (url, USER, json.dumps(statements), json.dumps(searches))
        printed = environment.check(project, "python", "-c", SCRIPT, *given)
    plans = dict(zip(searches, json.loads(printed), strict=True))
    assert [plans[search][0] for search in searches] == [1, 0, 19_999, 1]
    uses_it = {search: "ix_tasks_search" in "\n".join(plan) for search, (_, plan) in plans.items()}
    # Of a search that is too short, the index would be read as a whole.
    assert uses_it == {search: search != "rt" for search in searches}
