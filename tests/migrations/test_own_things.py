"""Migrations beside what a team adds by hand: columns, tables, types, triggers, views, branches."""

import re
from pathlib import Path

import pytest

from tests.conftest import Render
from tests.migrations.rows import VERSIONS
from tests.support.environment import Environment
from tests.support.postgres import Postgres, empty_database

pytestmark = pytest.mark.long

KINDS = ("sqlite", "postgresql")
CREATE = ("python", "-m", "scripts.migrations", "create")
CHECK = ("python", "-m", "scripts.migrations", "check")
UPGRADE = ("alembic", "upgrade", "head")

VENUE = '''\
"""The table of venues."""

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel


class Size(enum.Enum):
    """The size of a venue."""

    SMALL = "small"
    LARGE = "large"


class Venue(SQLModel, table=True):
    """A venue."""

    __tablename__ = "venues"
    __table_args__ = (
        sa.UniqueConstraint("name", "country"),
        sa.CheckConstraint("seats > 0", name="ck_venues_seats"),
        sa.Index("ix_venues_seats", sa.desc("seats")),
    )

    id: int = Field(primary_key=True)
    name: str = Field(max_length=50)
    country: str = Field(sa_type=sa.CHAR(2))
    seats: int = Field(default=1)
    notice: dt.timedelta = Field(sa_type=sa.Interval)
    size: Size = Field(default=Size.SMALL)
    extra: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    price: float = Field(sa_type=sa.Double)
'''
# Later columns of that table, and of a table that clients do not write.
LATER = """
    code: str = Field(default="none", max_length=9)
    status: str = Field(max_length=9, sa_column_kwargs={"server_default": "open"})
    mood: Size = Field(default=Size.LARGE)
"""
# SQLite cannot replace a table with such a column.
GENERATED = """
    twice: int | None = Field(sa_type=sa.Integer, sa_column_args=(sa.Computed("seats * 2"),))
"""
INSERT_VENUE = """
    INSERT INTO venues (id, name, country, seats, notice, size, extra, price)
    VALUES (1, 'Hall', 'DE', 10, {notice}, 'SMALL', '{{}}', 1.5)
"""
INSERT_USER = """
    INSERT INTO users (id, email, password_hash, password_changed_at, created_at)
    VALUES ('01980e4c7d2f7cc38a5b3f1e6d9b2a40', 'a@example.com', 'x', '2026-01-01', '2026-01-01')
"""
# Executes statements, and prints the rows of the last one.
EXECUTE = """
import asyncio, json, os, sys
from sqlalchemy import text
from app.db.engine import create_engine

async def main():
    engine = create_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as connection:
        for statement in sys.argv[1:]:
            result = await connection.execute(text(statement))
        if result.returns_rows:
            print([tuple(row) for row in result])
    await engine.dispose()

asyncio.run(main())
"""


def execute(environment: Environment, project: Path, url: str, *statements: str) -> str:
    """Execute statements on a database, and return the rows of the last one as text."""
    command = ("python", "-c", EXECUTE, *statements)
    return environment.check(project, *command, DATABASE_URL=url).strip()


def insert_after(path: Path, anchor: str, text: str) -> None:
    """Insert text after a string that occurs once."""
    content = path.read_text(encoding="utf-8")
    assert content.count(anchor) == 1, anchor
    path.write_text(content.replace(anchor, anchor + text), encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_own_tables_and_columns_are_migrated(
    kind: str, render: Render, environment: Environment, postgres: Postgres, tmp_path: Path
) -> None:
    project = render()
    (project / "app/models/venue.py").write_text(VENUE, encoding="utf-8")
    with empty_database(kind, tmp_path / "own.db", postgres) as url:
        # The comparison runs on the database of the project.
        compared = {"TEST_DATABASE_URL": "" if kind == "sqlite" else url}
        environment.check(project, *CREATE, MESSAGE="venues", **compared)
        environment.check(project, *CHECK, **compared)
        environment.check(project, *UPGRADE, DATABASE_URL=url)
        notice = "'1970-01-02'" if kind == "sqlite" else "interval '1 day'"
        statements = INSERT_VENUE.format(notice=notice), INSERT_USER
        execute(environment, project, url, *statements)
        venue = project / "app/models/venue.py"
        generated = GENERATED if kind == "postgresql" else ""
        venue.write_text(VENUE + LATER + generated, encoding="utf-8")
        nickname = '    nickname: str = Field(default="none", max_length=9)\n\n'
        insert_after(
            project / "app/models/user.py", '    __tablename__ = "users"\n', f"\n{nickname}"
        )
        environment.check(project, *CREATE, MESSAGE="later", **compared)
        environment.check(project, *CHECK, **compared)
        environment.check(project, "ruff", "check", "migrations/versions")
        environment.check(project, *UPGRADE, DATABASE_URL=url)
        twice = "twice" if generated else "seats * 2"
        query = f"SELECT country, code, status, {twice}, mood, nickname FROM venues, users"
        found = execute(environment, project, url, query)
        assert found == "[('DE', 'none', 'open', 20, 'LARGE', 'none')]"
        environment.check(project, "alembic", "downgrade", "0001", DATABASE_URL=url)
        environment.check(project, *UPGRADE, DATABASE_URL=url)
        environment.check(project, "alembic", "check", DATABASE_URL=url)


TRIGGER = """
CREATE TRIGGER count_tasks AFTER INSERT ON tasks BEGIN
    UPDATE users SET name = coalesce(name, '') || ':'; END
"""
OWN_SQLITE = [
    TRIGGER,
    "CREATE VIEW titles AS SELECT title FROM tasks",
    "CREATE INDEX ix_tasks_lower ON tasks (lower(title))",
    "CREATE INDEX ix_tasks_latest ON tasks (created_at DESC)",
]
OBJECTS = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name {} ORDER BY name"
OWN_NAMES = "IN ('count_tasks', 'titles', 'ix_tasks_lower', 'ix_tasks_latest')"
FIELDS = {"title": "str", "value": "str"}
NULLABLE = {"title": "str", "value": {"type": "str", "required": False}}


def with_revisions_of(old: Path, new: Path) -> Path:
    """Give a project the revisions of another one."""
    for path in (new / VERSIONS).glob("*.py"):
        path.unlink()
    for path in (old / VERSIONS).glob("*.py"):
        (new / VERSIONS / path.name).write_bytes(path.read_bytes())
    return new


def test_triggers_views_and_indexes_of_sqlite_are_kept(
    render: Render, environment: Environment, tmp_path: Path
) -> None:
    old = render(fields=FIELDS)
    new = with_revisions_of(old, render(fields=NULLABLE))
    url = f"sqlite:///{tmp_path / 'own.db'}"
    environment.check(old, *UPGRADE, DATABASE_URL=url)
    execute(environment, old, url, *OWN_SQLITE)
    before = execute(environment, old, url, OBJECTS.format(OWN_NAMES))
    assert before.count("CREATE") == len(OWN_SQLITE)
    environment.check(new, *CREATE, MESSAGE="nullable")
    environment.check(new, *UPGRADE, DATABASE_URL=url)
    assert execute(environment, new, url, OBJECTS.format(OWN_NAMES)) == before
    assert execute(environment, new, url, "SELECT count(*) FROM titles") == "[(0,)]"


def test_trigger_that_cannot_be_kept_is_refused(
    render: Render, environment: Environment, tmp_path: Path
) -> None:
    old = render(fields=FIELDS)
    new = with_revisions_of(old, render(fields={"title": "str"}))
    url = f"sqlite:///{tmp_path / 'own.db'}"
    environment.check(old, *UPGRADE, DATABASE_URL=url)
    index = "CREATE INDEX ix_tasks_own ON tasks (lower(value))"
    execute(environment, old, url, index)
    environment.check(new, *CREATE, MESSAGE="removed")
    done = environment.run(new, *UPGRADE, DATABASE_URL=url)
    assert done.returncode != 0
    assert "ix_tasks_own cannot be kept" in done.stdout
    columns = "SELECT name FROM pragma_table_info('tasks') WHERE name = 'value'"
    assert execute(environment, new, url, columns) == "[('value',)]"
    assert execute(environment, new, url, OBJECTS.format("= 'ix_tasks_own'")).count("lower") == 1


def write_statement(revision: Path, statement: str) -> None:
    """Let the upgrade of an empty revision execute a statement."""
    text = revision.read_text(encoding="utf-8")
    call = f'op.execute("{statement}")'
    changed = re.sub(r"(def upgrade\(\) -> None:\n    )pass", rf"\1{call}", text)
    assert changed != text
    revision.write_text(changed, encoding="utf-8")


def test_revisions_of_two_branches_are_joined(render: Render, environment: Environment) -> None:
    project = render()
    for name in ("one", "two"):
        environment.check(
            project, "alembic", "revision", "--message", name, "--head", "0001", "--splice"
        )
        [revision] = (project / VERSIONS).glob(f"*_{name}.py")
        write_statement(revision, "SELECT 1")
    done = environment.run(project, *CHECK)
    assert done.returncode == 1
    assert "2 revisions are the newest" in done.stdout
    assert 'make migration m="what changed"' in done.stdout
    environment.check(project, *CREATE, MESSAGE="branches")
    environment.check(project, *CHECK)
    environment.check(project, "ruff", "check")
    environment.check(project, "mypy", "migrations")
    environment.check(project, "pytest", "-q", "tests/migrations")


def test_empty_revision_is_ready_for_statements(
    render: Render, environment: Environment, tmp_path: Path
) -> None:
    project = render()
    environment.check(project, "alembic", "revision", "--message", "capitals")
    [revision] = (project / VERSIONS).glob("*_capitals.py")
    write_statement(revision, "UPDATE tasks SET title = upper(title)")
    environment.check(project, "ruff", "check")
    environment.check(project, "ruff", "format", "--check")
    environment.check(project, "mypy", "migrations")
    environment.check(project, *UPGRADE, DATABASE_URL=f"sqlite:///{tmp_path / 'own.db'}")
