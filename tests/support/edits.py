"""Edits of a project by its owner between two updates."""

from dataclasses import dataclass
from pathlib import Path

TESTS = '''\
"""Tests by the owner of the project."""

from httpx import AsyncClient

from app.settings import Settings


def test_support_has_an_address() -> None:
    assert Settings.model_fields["support_email"].default == "help@example.com"


async def test_first_title_needs_a_token(client: AsyncClient) -> None:
    response = await client.get("/api/tasks/titles/first")
    assert response.status_code == 401
'''

REVISION = '''\
"""No blanks around titles."""

from alembic import op

revision: str = "0123456789ab"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.execute("UPDATE tasks SET title = trim(title)")


def downgrade() -> None:
    pass
'''


@dataclass(frozen=True)
class Edit:
    """A string that replaces another, which occurs once, or that is appended to a file."""

    path: str
    before: str
    after: str

    def apply(self, project: Path) -> None:
        """Make the edit."""
        file = project / self.path
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        if self.before:
            assert text.count(self.before) == 1, f"{self.path} has not one {self.before!r}"
            text = text.replace(self.before, self.after)
        else:
            text += self.after
        file.write_text(text, encoding="utf-8")

    def is_there(self, project: Path) -> bool:
        """Tell whether the file contains it."""
        return self.after in (project / self.path).read_text(encoding="utf-8")


ENDPOINT = Edit(
    "app/routers/task.py",
    "",
    '''

@router.get("/titles/first")
async def first_title(scope: ScopeDep) -> str | None:
    """Return the title of the first task."""
    return await service.first_title(scope)
''',
)
FUNCTION = Edit(
    "app/services/task.py",
    "",
    '''

async def first_title(scope: Scope) -> str | None:
    """Return the title of the first task."""
    found = await list_tasks(scope, schemas.TaskQuery())
    return found.items[0].title if found.items else None
''',
)
SETTING = Edit(
    "app/settings.py",
    '    log_format: Literal["console", "json"] = "console"\n',
    '    log_format: Literal["console", "json"] = "console"\n'
    '    support_email: str = "help@example.com"\n',
)
SECTION = Edit("README.md", "", "\n## On call\n\nAsk Ada.\n")
DEPENDENCY = Edit("pyproject.toml", '    "alembic>', '    "jinja2>=3.1,<4",\n    "alembic>')
# Edits that do not depend on the answers, except for the name `task`.
ANYWHERE = (ENDPOINT, FUNCTION, SETTING, SECTION, DEPENDENCY)

# Edits of the default project.
VALIDATION = Edit("app/schemas/task.py", "Field(max_length=200)", "Field(max_length=120)")
REWRITTEN = Edit(
    "app/services/task.py",
    "    rows = await insert_many(scope, models.Task, [one.model_dump() for one in data])\n"
    "    return [schemas.TaskRead(**row) for row in rows]\n",
    "    values = [one.model_dump() for one in data]\n"
    "    rows = await insert_many(scope, models.Task, values)\n"
    "    return [schemas.TaskRead.model_validate(dict(row)) for row in rows]\n",
)
# A revision is edited as long as nobody else has applied it.
REVISED = Edit(
    "migrations/versions/0001_initial.py",
    "def upgrade() -> None:\n",
    "# Read by Ada.\ndef upgrade() -> None:\n",
)
DEFAULTS = (
    *ANYWHERE,
    VALIDATION,
    REWRITTEN,
    REVISED,
    Edit("tests/test_support.py", "", TESTS),
    Edit("migrations/versions/0002_titles.py", "", REVISION),
)
DELETED = ("compose.yaml", "docs/authentication.md")
