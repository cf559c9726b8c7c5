"""What docs/deployment.md says about distributed databases is true for the tables of the project.

The rules are those of the documentation of these databases; none of them is run here.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Render
from tests.support.environment import Environment
from tests.support.presets import PRESETS, RICH

OWNER = "user_id"
# Each new row has a higher value than all others.
INCREASING = {"id", "created_at", "expires_at", "next_attempt_at"}
SAME = "as it is"

READ_TABLES = """
import json, app.models, sqlalchemy as sa
from sqlmodel import SQLModel

def names(columns):
    return [column.name for column in columns]

print(json.dumps({
    table.name: {
        "columns": names(table.columns),
        "nullable": names(column for column in table.columns if column.nullable),
        "primary_key": names(table.primary_key.columns),
        "unique": [names(one.columns) for one in table.indexes if one.unique]
                  + [names(one.columns) for one in table.constraints
                     if isinstance(one, sa.UniqueConstraint)],
        "indexes": [names(one.columns) for one in table.indexes if not one.unique],
        "foreign_keys": [[names(key.columns), key.referred_table.name, key.ondelete]
                         for key in table.foreign_key_constraints],
    }
    for table in SQLModel.metadata.tables.values()
}))
"""


@dataclass(frozen=True)
class Table:
    """The constraints and indexes of a table."""

    columns: list[str]
    nullable: list[str]
    primary_key: list[str]
    unique: list[list[str]]
    indexes: list[list[str]]
    foreign_keys: list[tuple[list[str], str, str | None]]

    @property
    def is_owned(self) -> bool:
        """Whether Citus can distribute it by the owner, apart from its primary key."""
        required = OWNER in self.columns and OWNER not in self.nullable
        return required and all(OWNER in columns for columns in self.unique)


def quoted(columns: list[str]) -> str:
    """Return names of columns as the page writes them."""
    return f"({', '.join(f'`{name}`' for name in columns)})"


def with_owner(columns: list[str]) -> str:
    """Return names of columns with the owner, which Citus requires in a constraint."""
    return SAME if OWNER in columns else quoted([OWNER, *columns])


class Schema:
    """The tables of a project, as distributed databases have to store them."""

    def __init__(self, tables: dict[str, Any]) -> None:
        self.tables = {name: Table(**parts) for name, parts in tables.items()}
        owned = {name for name, table in self.tables.items() if table.is_owned}
        # They refer to distributed tables, which reference tables cannot do.
        self.without_owner = {
            name
            for name, table in self.tables.items()
            if any(target in owned for _, target, _ in table.foreign_keys) and name not in owned
        }
        self.distributed = owned | self.without_owner

    def placement(self, name: str) -> str:
        """Return how Citus stores a table, and its primary key there."""
        if name not in self.distributed:
            return "reference table"
        by = f"a `{OWNER}` of its own" if name in self.without_owner else f"`{OWNER}`"
        return f"distributed by {by}, with the key {with_owner(self.tables[name].primary_key)}"

    def foreign_key(self, name: str, columns: list[str], target: str, rule: str | None) -> str:
        """Return what Citus requires of a foreign key."""
        if target not in self.distributed:
            return SAME
        assert name in self.distributed
        needed = with_owner(columns)
        return f"{needed}, without `SET NULL`" if rule == "SET NULL" else needed

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the table in the page."""
        found = []
        for name, table in self.tables.items():
            key = table.primary_key
            hashed = "`USING HASH`" if key[0] in INCREASING else SAME
            found.append((name, f"primary key {quoted(key)}", self.placement(name), hashed, SAME))
            for columns, target, rule in table.foreign_keys:
                citus = self.foreign_key(name, columns, target, rule)
                found.append((name, f"{quoted(columns)} → `{target}`", citus, SAME, SAME))
            for columns in table.unique:
                citus = with_owner(columns) if name in self.distributed else SAME
                hashed = "`USING HASH`" if columns[0] in INCREASING else SAME
                found.append((name, f"unique {quoted(columns)}", citus, hashed, SAME))
            # Only equal values of a foreign key are looked up.
            referring = {columns[0] for columns, _, _ in table.foreign_keys}
            for columns in table.indexes:
                if columns[0] not in {OWNER, *referring}:
                    hashed = "`USING HASH`" if columns[0] in INCREASING else SAME
                    found.append((name, f"index {quoted(columns)}", SAME, hashed, "`ASC`"))
        return [(f"`{name}`", *cells) for name, *cells in found]


def documented(project: Path) -> list[tuple[str, ...]]:
    """Return the rows of the table in the page."""
    text = (project / "docs/deployment.md").read_text(encoding="utf-8")
    [table] = re.findall(
        r"^\| table \| constraint or index \| Citus .*\n\|[- |]+\|\n((?:\|.*\n)+)",
        text,
        re.MULTILINE,
    )
    return [tuple(line.strip("| ").split(" | ")) for line in table.splitlines()]


@pytest.mark.parametrize(
    "name", ["defaults", "graph", "shared", "strictest", "fastapi-sqlmodel-generator"]
)
def test_page_lists_what_each_constraint_needs(
    name: str, render: Render, environment: Environment
) -> None:
    project = render(**{**RICH, **PRESETS}.get(name, {}))
    schema = Schema(json.loads(environment.check(project, "python", "-c", READ_TABLES)))
    assert sorted(documented(project)) == sorted(schema.rows())


def test_rules_reject_what_they_must() -> None:
    """A table cannot be distributed by an owner that is null or missing in a unique constraint."""
    table: dict[str, Any] = {
        "columns": ["id", OWNER, "other_id", "code"],
        "nullable": [],
        "primary_key": ["id"],
        "unique": [[OWNER, "code"]],
        "indexes": [],
        "foreign_keys": [(["other_id"], "others", "CASCADE")],
    }
    other = {**table, "foreign_keys": [], "unique": []}
    assert ("`ones`", "(`other_id`) → `others`", "(`user_id`, `other_id`)", SAME, SAME) in Schema(
        {"ones": table, "others": other}
    ).rows()
    without_owner = {**table, "columns": ["id", "other_id"], "unique": []}
    assert Schema({"ones": without_owner, "others": other}).without_owner == {"ones"}
    everywhere = {**table, "unique": [["code"]], "foreign_keys": []}
    assert Schema({"ones": everywhere}).placement("ones") == "reference table"
    without_some = {**everywhere, "unique": [], "nullable": [OWNER]}
    assert Schema({"ones": without_some}).placement("ones") == "reference table"
