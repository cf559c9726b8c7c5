"""The end of the year: tasks become chores, as docs/updating.md describes it."""

from tests.updates.year import Becomes, Year

# The function of the page, with all indexes, references and checks that this table has in December.
RENAME = '''

ACTIVE = sa.text("deleted_at IS NULL")
VIEWS = {
    "tasks": "CREATE VIEW titles AS SELECT title FROM tasks",
    "chores": "CREATE VIEW titles AS SELECT title FROM chores",
}
REFERENCES = {"user_id": "users", "project_id": "projects", "team_id": "teams"}


def create_indexes(table: str) -> None:
    """Create the indexes of the table."""
    op.create_index(f"ix_{table}_user_id_created_at_id", table, ["user_id", "created_at", "id"])
    op.create_index(f"ix_{table}_project_id", table, ["project_id"])
    op.create_index(f"ix_{table}_user_id_id", table, ["user_id", "id"])
    op.create_index(
        f"ix_{table}_description_trgm",
        table,
        ["description"],
        postgresql_using="gin",
        postgresql_ops={"description": "gin_trgm_ops"},
    )
    op.create_index(
        f"uq_{table}_user_id_title_not_deleted",
        table,
        ["user_id", "title"],
        unique=True,
        sqlite_where=ACTIVE,
        postgresql_where=ACTIVE,
    )


def drop_indexes(table: str) -> None:
    """Drop the indexes of the table."""
    op.drop_index(f"ix_{table}_user_id_created_at_id", table)
    op.drop_index(f"ix_{table}_project_id", table)
    op.drop_index(f"ix_{table}_user_id_id", table)
    op.drop_index(f"ix_{table}_description_trgm", table)
    op.drop_index(f"uq_{table}_user_id_title_not_deleted", table)


def rename(old: str, new: str) -> None:
    """Rename a table, its indexes and its constraints; the rows stay."""
    is_sqlite = op.get_context().dialect.name == "sqlite"
    if is_sqlite:
        op.execute("DROP VIEW titles")
    drop_indexes(old)
    op.rename_table(old, new)
    with op.batch_alter_table(new) as batch:
        for column, referred in REFERENCES.items():
            batch.drop_constraint(f"fk_{old}_{column}_{referred}", type_="foreignkey")
            batch.create_foreign_key(
                f"fk_{new}_{column}_{referred}",
                referred,
                [column],
                ["id"],
                ondelete="CASCADE" if column == "user_id" else None,
            )
    create_indexes(new)
    if is_sqlite:
        op.execute(VIEWS[new])
    else:
        for name in ("pk_{}", "ck_{}_title_length"):
            op.execute(
                f"ALTER TABLE {new} RENAME CONSTRAINT {name.format(old)} TO {name.format(new)}"
            )


def upgrade() -> None:
    rename("tasks", "chores")


def downgrade() -> None:
    rename("chores", "tasks")
'''
BECOMES: Becomes = {"tasks": "chores"}


def swapped(text: str) -> str:
    """Return code of chores as code of tasks."""
    assert "task" not in text.lower(), text
    return text.replace("chore", "task").replace("Chore", "Task")


def renamed(text: str) -> str:
    """Return code of tasks as code of chores."""
    return text.replace("task", "chore").replace("Task", "Chore")


def move_own_lines(year: Year) -> None:
    """Move the own lines of the deleted files into the new ones, and name chores elsewhere."""
    for part in year.parts:
        if "task" in part.path:
            path = renamed(part.path)
            year.write(path, renamed(part.apply(swapped(year.text(path)))))
    elsewhere = {part.path for part in year.parts if part.path.startswith("app/models/")}
    for path in sorted(path for path in elsewhere if "task" not in path):
        year.write(path, renamed(year.text(path)))
    year.run("ruff", "check", "--fix-only", "--quiet", "--no-cache")
    year.run("ruff", "format", "--quiet", "--no-cache")


def renames_tasks(year: Year) -> None:
    """Rename the resource, move own lines, and write the revision of the page."""
    year.answer(resource_name="chore", resource_plural="chores")
    move_own_lines(year)
    first, *others = year.revision("chores")
    for path in others:
        (year.project / path).unlink()
        del year.written[path]
    header = year.text(first).partition("\ndef upgrade()")[0].rstrip()
    assert header.count('phase: str = "before"') == 1
    header = header.replace('phase: str = "before"', 'phase: str = "stop"')
    year.by_hand(first, header + RENAME)
    year.run("ruff", "check", "--fix-only", "--quiet", "--no-cache", first)
    year.by_hand(first, year.text(first))
    year.bodies["/api/chores"] = year.bodies.pop("/api/tasks")
