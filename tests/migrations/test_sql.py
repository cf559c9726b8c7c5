"""The SQL of revisions can be printed, and passes a linter for PostgreSQL migrations."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Render
from tests.migrations.changes import ALL, CHANGES, NULLABLE, fields
from tests.migrations.rows import VERSIONS, copy_revisions
from tests.support.commands import run_linter
from tests.support.environment import Environment

PROJECT = {"name": "project", "fields": {"name": "str"}}
STOP = 'phase: str = "stop"'
# Everything that both versions can live with, in one change; and what needs a stop.
EVERYTHING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "online": (
        {
            **fields(
                removed="str",
                shorter={"type": "str", "max_length": 9},
                required=NULLABLE,
                filled={"type": "int", "required": False},
                nullable="int",
                unique="str",
                free={"type": "str", "unique": True},
                indexed="str",
                plain={"type": "str", "index": True},
                project={"type": "reference", "to": "project", "required": False},
            ),
            "more_resources": [PROJECT],
        },
        {
            **fields(
                shorter={"type": "str", "max_length": 5},
                required="str",
                filled={"type": "int", "default": 7},
                nullable={"type": "int", "required": False},
                unique={"type": "str", "unique": True},
                free="str",
                indexed={"type": "str", "index": True},
                plain="str",
                added=NULLABLE,
                constant={"type": "enum", "choices": ["it's", "low"], "default": "it's"},
                price={"type": "decimal", "default": "1.50"},
                labels={"type": "list", "default": ["a: b"]},
                must="str",
                topic={"type": "reference", "to": "topic", "required": False},
                tag={"type": "references", "to": "topic"},
            ),
            "soft_delete": True,
            "more_resources": [{**PROJECT, "name": "topic"}],
        },
    ),
    "longer": (
        fields(value={"type": "str", "max_length": 5}, other="str"),
        fields(value={"type": "str", "max_length": 9}, other="text"),
    ),
    "stop": (
        {**fields(value="str", number="int", day="date"), "timestamps": False},
        {
            **fields(
                worth={"type": "str", "renamed_from": "value"}, number="decimal", day="datetime"
            ),
            "timestamps": True,
        },
    ),
}
SINGLE = {name: (change.old, change.new) for name, change in CHANGES.items()} if ALL else {}
# Rules that do not fit, with the reasons.
EXCLUDED = {
    "ban-drop-column": "in the second phase, after the version that uses it is gone",
    "ban-drop-constraint": "foreign keys of removed fields; checks before they are created again",
    "ban-drop-default": "in the second phase: the new version sends the value",
    "ban-drop-not-null": "in the first phase, for the version that does not send the value",
    "ban-drop-table": "in the second phase",
    "prefer-bigint-over-int": "the schemas limit integers to 32 bits",
    "prefer-robust-stmts": "the version table says what was applied; repeatable steps are robust",
    "prefer-text-field": "the limit of a string is part of the API",
    "require-statement-timeout": "building an index may take long; waiting for a lock may not",
}
# Longer strings are not rewritten, which the linter does not see; the others need a stop.
RETYPED = {"longer": {"changing-column-type"}, "stop": {"changing-column-type", "renaming-column"}}


def lint(sql: Path, *excluded: str) -> None:
    """Check SQL with squawk."""
    options = [f"--exclude={','.join([*EXCLUDED, *excluded])}", "--pg-version=15.0"]
    run_linter("--from", "squawk-cli>=2,<3", "squawk", *options, str(sql))


@pytest.mark.long
@pytest.mark.parametrize("name", [*EVERYTHING, *SINGLE])
def test_sql_passes_the_linter(
    name: str, render: Render, environment: Environment, tmp_path: Path
) -> None:
    old, new = (render(**answers) for answers in {**SINGLE, **EVERYTHING}[name])
    copy_revisions(old, new)
    if name in SINGLE and (CHANGES[name].unchanged or CHANGES[name].creation_error):
        pytest.skip("no revision")
    environment.check(new, "python", "-m", "scripts.migrations", "create", MESSAGE=name)
    written = environment.check(new, "python", "-m", "scripts.migrations", "sql", "base")
    sql = tmp_path / f"{name}.sql"
    sql.write_text(written, encoding="utf-8")
    stops = STOP in "".join(
        path.read_text(encoding="utf-8") for path in (new / VERSIONS).glob("*.py")
    )
    assert stops == (name == "stop") or name in SINGLE
    lint(sql, *RETYPED.get("stop" if stops else name, ()))


def test_linter_finds_what_locks(tmp_path: Path) -> None:
    sql = tmp_path / "locks.sql"
    sql.write_text("SET lock_timeout = '2s'; CREATE INDEX ix_tasks_title ON tasks (title);")
    with pytest.raises(AssertionError, match="require-concurrent-index-creation"):
        lint(sql)
