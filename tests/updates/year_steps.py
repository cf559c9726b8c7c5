"""The steps of the year."""

import sqlite3
from collections.abc import Callable
from typing import Any

import copier

from tests.migrations.test_own_things import execute
from tests.support import rendering
from tests.support.commands import command, commit, git
from tests.support.edits import DELETED, Edit
from tests.support.own_edits import Part
from tests.support.updating import ANSWERS, update
from tests.updates import year_code as code
from tests.updates.test_updates import ELSEWHERE, LATER, assert_applied, release
from tests.updates.year import (
    ANSWERS_CHECK,
    CHECK,
    MIGRATE,
    Step,
    Year,
    expected,
    is_production,
    lost,
)
from tests.updates.year_rename import BECOMES, renames_tasks

# The tables that have had rows since January, by their names in December.
GENERATED = ("chores", "sessions", "users")
# Known: it creates the tables from the models alone, so on PostgreSQL an index of a model that
# needs an extension fails there.
WITHOUT_EXTENSIONS = "tests/migrations/test_migrations.py::test_revision_is_written_from_the_models"
LAST_SEEN = Edit(
    "template/*/app/models/user.py.jinja",
    "    created_at: datetime = Field(sa_type=UtcDateTime)\n",
    "    created_at: datetime = Field(sa_type=UtcDateTime)\n"
    "    last_seen_at: datetime | None = Field(sa_type=UtcDateTime)\n",
)


def own(*names: str) -> Callable[[Year], None]:
    """Return what writes kinds of own lines."""
    return lambda year: year.add(*(part for name in names for part in code.DOCUMENTED[name]))


def fields(year: Year, **changed: Any) -> None:  # noqa: ANN401
    """Change, add, and by None remove fields in the answers."""
    now = rendering.recorded_answers(year.project)["fields"]
    kept = {name: field for name, field in (now | changed).items() if field is not None}
    year.answer(fields=kept)


def starts(year: Year) -> None:
    """Lock the requirements, and let clients create tasks."""
    command(year.project, "uv", "lock", "--quiet")
    year.bodies["/api/tasks"] = {"title": "Step {number}"}


def gets_webhooks(year: Year) -> None:
    """Add a router without a token, and a service without a scope."""
    own("router without a token, and service without a scope")(year)
    year.add(Part("tests/routers/test_webhooks.py", code.WEBHOOK_TESTS, code.end))
    year.bodies["/webhooks/payments"] = {}


def gets_customers(year: Year) -> None:
    """Add a table with its routes."""
    year.add(*code.CUSTOMERS)
    year.bodies["/api/customers"] = {"name": "Customer {number}", "country": "DE"}


def gets_nicknames(year: Year) -> None:
    """Add a column to a generated table, and show it."""
    own(
        "column",
        "field of creation",
        "field of updates",
        "field of responses",
        "query parameter",
        "description and example of a field",
        "sample data",
    )(year)
    year.bodies["/api/tasks"]["nickname"] = "Ada {number}"


def gets_settings(year: Year) -> None:
    """Add a setting, with its lines elsewhere, and a dependency."""
    own("setting", "line of .env.example", "service function", "route", "rows of the README")(year)
    year.add(Part("tests/test_own_settings.py", code.SETTING_TESTS, code.end))
    year.add(*code.NOTES_OF_RELEASES)


def edits_files(year: Year) -> None:
    """Edit what is not code, and delete files."""
    own(
        "section of the README",
        "line of a page",
        "target of the Makefile",
        "step of continuous integration",
        "line of the Dockerfile",
        "rule of Ruff",
        "override of mypy",
    )(year)
    for name in DELETED:
        (year.project / name).unlink()


def copies_the_database(year: Year) -> None:
    """A colleague takes a copy of the database of development, and goes on leave."""
    year.colleague = year.project.parent / "colleague.db"
    database = sqlite3.connect(year.databases[0].removeprefix("sqlite:///"))
    database.execute("VACUUM INTO ?", [str(year.colleague)])
    database.close()


def uses_sqlite(year: Year) -> None:
    """Write a trigger and a view."""
    year.statements("a trigger and a view", code.SQLITE_ONLY, code.SQLITE_ONLY_DOWN)


def uses_postgresql(year: Year) -> None:
    """Write an extension, and an index that needs it."""
    year.statements("trigrams", code.EXTENSION)
    year.add(*code.TRIGRAM_INDEX)


def changes_rows(year: Year) -> None:
    """Write the names of customers in capitals."""
    year.statements("capitals", code.PAINTED)


def merges_branches(year: Year) -> None:
    """Write a revision in each of two branches, merge them, and join the revisions."""
    git(year.project, "switch", "--quiet", "--create", "regions")
    year.add(*code.REGION)
    year.revision("regions")
    commit(year.project, "Regions")
    git(year.project, "switch", "--quiet", "main")
    year.add(*code.LEADER)
    year.revision("leaders")
    commit(year.project, "Leaders")
    git(year.project, "merge", "--quiet", "--no-edit", "regions")
    year.fails(*CHECK, says='make migration m="what changed"')


def gets_a_release(year: Year) -> None:
    """Apply a release of the template, which changes most files and adds a column to users."""
    release(year.template, LATER, *ELSEWHERE, LAST_SEEN)
    update(year.project)
    year.merged()
    assert f"_commit: {LATER}" in year.text(ANSWERS)
    assert_applied(year.project, ELSEWHERE)
    assert [name for name in DELETED if (year.project / name).exists()] == []


def edits_an_answer(year: Year) -> None:
    """Edit an answer by hand, and go the way back that docs/updating.md describes."""
    text = year.text(ANSWERS)
    year.write(ANSWERS, text.replace("update_method: patch", "update_method: both"))
    commit(year.project, "By hand")
    year.fails(*ANSWERS_CHECK, says="docs/updating.md")
    git(year.project, "restore", "--source=HEAD~1", ANSWERS)
    commit(year.project, "Restore the answers")
    update(year.project, {"update_method": "both"}, vcs_ref=copier.VcsRef.CURRENT)
    year.merged()
    assert "router.put" in year.text("app/routers/task.py")


def drops_the_search(year: Year) -> None:
    """Remove an operation whose helper the team has edited."""
    year.add(*code.EDITED_SEARCH)
    commit(year.project, "Measure")
    year.answer(operations=["complete", "stats", "bulk"])
    done = year.environment.run(year.project, "python", "-m", "scripts.impact")
    assert "  app/db/search.py\n" in done.stdout.partition("Files: ")[2], done.stdout


def gets_projects(year: Year) -> None:
    """Add a resource, and a reference to it."""
    reference = {"type": "reference", "to": "project", "required": False}
    now = rendering.recorded_answers(year.project)["fields"]
    name = {"type": "str", "max_length": 99}
    project = {"name": "project", "fields": {"name": name}, "operations": ["bulk"]}
    year.answer(fields=now | {"project": reference}, more_resources=[project])
    year.bodies["/api/projects"] = {"name": "Project {number}"}


def migrates_the_old_database(year: Year) -> None:
    """Migrate the colleague's database: its rows are those of the other database."""
    assert year.colleague is not None
    url = f"sqlite:///{year.colleague}"
    year.run(*MIGRATE, DATABASE_URL=url)
    rows = year.client(url, "read")
    assert {table for table, found in rows.items() if found} == {"customers", *GENERATED}
    # The trigger has changed the names of users in the other database alone.
    assert lost(expected(rows, {"users.name": None}), year.rows[year.databases[0]]) == []


def passes_all_tests(year: Year) -> None:
    """Run the tests of the project on both databases."""
    pytest = ("pytest", "-q", "-p", "no:cacheprovider")
    for url in year.databases:
        if is_production(url):
            year.run(*pytest, f"--deselect={WITHOUT_EXTENSIONS}", TEST_DATABASE_URL=url)
        else:
            year.run(*pytest)


def keeps_trigger_and_view(year: Year) -> None:
    """Check that the trigger has run after each step since it was written, and the view reads."""
    rows = year.rows[year.databases[0]]
    [ada] = [user for user in rows["users"] if user["email"] == "ada@example.com"]
    done = [step.does for step in STEPS]
    since = done.index(keeps_trigger_and_view) - done.index(uses_sqlite)
    # Two users create a task after each step, and the trigger changes all users.
    assert ada["name"] == ":" * (2 * since), ada
    titles = execute(
        year.environment, year.project, year.databases[0], "SELECT count(*) FROM titles"
    )
    assert titles == f"[({len(rows['chores'])},)]"


def answers(**changed: Any) -> Callable[[Year], None]:  # noqa: ANN401
    """Return what changes fields in the answers."""
    return lambda year: fields(year, **changed)


def written(*parts: Part) -> Callable[[Year], None]:
    """Return what writes own lines."""
    return lambda year: year.add(*parts)


DEADLINE = {"type": "datetime", "required": False, "renamed_from": "due_date"}
REQUIRED = {"type": "text", "max_length": 1000, "default": "Nothing."}
STEPS = [
    Step("January: a project with the default answers", starts),
    Step("January: a webhook without a token, and mail without a scope", gets_webhooks),
    Step("February: own model, schemas, service, router and tests, with CHAR(2)", gets_customers),
    Step("February: a colleague's database stays behind", copies_the_database),
    Step("March: an own column on a generated table", gets_nicknames),
    Step("March: an own column on users", written(*code.LOCALE)),
    Step("March: a field is added", answers(points={"type": "int", "default": 3}), quarter=True),
    Step("April: own setting, route, dependency, rows of the README", gets_settings),
    Step("April: README, CI step, Makefile, Dockerfile; two deleted files", edits_files),
    Step("April: an own column with server_default", written(*code.STATUS)),
    Step("May: an own trigger and view on SQLite", uses_sqlite, by_hand="its statements"),
    Step("May: a field is removed", answers(tags=None), {"tasks.tags": None}),
    Step(
        "May: a required field with a default",
        answers(description=REQUIRED),
        {"tasks.description": lambda value: "Nothing." if value is None else value},
    ),
    Step(
        "June: own columns with an import, a type, a reference",
        own("column with an import", "column with a type", "column with a reference", "index"),
        quarter=True,
    ),
    Step("July: an extension and an index of PostgreSQL", uses_postgresql, by_hand="the extension"),
    Step("July: a release of the template, with a column of users", gets_a_release),
    Step("August: a data migration", changes_rows, {"customers.name": str.upper}, "its statements"),
    Step(
        "August: a renamed field",
        answers(due_date=None, deadline=DEADLINE),
        {"tasks.due_date": "deadline"},
    ),
    Step("August: a resource and a reference are added", gets_projects),
    Step("September: two branches with a revision each", merges_branches),
    Step(
        "September: a field becomes unique",
        answers(title={"type": "str", "max_length": 200, "unique": True}),
        quarter=True,
    ),
    Step("October: soft deletion is turned on", lambda year: year.answer(soft_delete=True)),
    Step(
        "October: a shorter string",
        answers(title={"type": "str", "max_length": 120, "unique": True}),
    ),
    Step("November: an answer is edited by hand", edits_an_answer),
    Step("November: an edited helper is not needed any more", drops_the_search),
    Step("December: a resource is renamed", renames_tasks, BECOMES, "the rename", quarter=True),
    Step("December: the colleague migrates the database of February", migrates_the_old_database),
    Step("December: trigger and view are still there", keeps_trigger_and_view),
    Step("December: the project's own tests", passes_all_tests),
]
