"""What people do to a project between two updates."""

from dataclasses import dataclass
from pathlib import Path

TESTS = '''\
"""What the owner of the project wants of it."""

from httpx import AsyncClient

from app.settings import Settings


def test_support_is_told() -> None:
    assert Settings.model_fields["support_email"].default == "help@example.com"


async def test_a_title_is_told(client: AsyncClient) -> None:
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
    """A text that takes the place of another, which occurs once; or comes at the end of a file."""

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
        """Tell whether it is still made."""
        return self.after in (project / self.path).read_text(encoding="utf-8")


ENDPOINT = Edit(
    "app/routers/task.py",
    "",
    '''

@router.get("/titles/first")
async def first_title(scope: ScopeDep) -> str | None:
    """Return the title of the task that is first in a list."""
    return await service.first_title(scope)
''',
)
FUNCTION = Edit(
    "app/services/task.py",
    "",
    '''

async def first_title(scope: Scope) -> str | None:
    """Return the title of the task that is first in a list."""
    found = await list_tasks(scope, TaskQuery())
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
DEPENDENCY = Edit(
    "pyproject.toml", "dependencies = [\n", 'dependencies = [\n    "jinja2>=3.1,<4",\n'
)
# What does not depend on the answers, as long as there are tasks.
ANYWHERE = (ENDPOINT, FUNCTION, SETTING, SECTION, DEPENDENCY)

# And what is made of the default answers.
VALIDATION = Edit("app/schemas/task.py", "Field(max_length=200)", "Field(max_length=120)")
REWRITTEN = Edit(
    "app/services/task.py",
    "    values = [one.model_dump() for one in data]\n"
    "    rows = await scope.insert_many(Task, values)\n"
    "    return [TaskRead(**row) for row in rows]\n",
    "    rows = await scope.insert_many(Task, [one.model_dump() for one in data])\n"
    "    return [TaskRead.model_validate(dict(row)) for row in rows]\n",
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
