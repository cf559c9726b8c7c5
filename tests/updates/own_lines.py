"""Kinds of own edits: in the places that the README of a project names, and elsewhere."""

from tests.support.own_edits import (
    FIRST_CLASS,
    FIRST_FUNCTION,
    Kind,
    Part,
    after,
    anywhere,
    before,
    end,
    first_in,
    imports_apart,
    imports_apart_in_schemas,
    instead,
    last_in,
    own_member,
)

MODEL, SCHEMA = "app/models/task.py", "app/schemas/task.py"
SERVICE, ROUTER = "app/services/task.py", "app/routers/task.py"
ARCHITECTURE, ROUTERS = "tests/test_architecture.py", "app/routers/__init__.py"
SAMPLES, MIDDLEWARE = "tests/support/samples/task.py", "app/http/middleware.py"

TEAM = '''\
"""The table of teams."""

from sqlmodel import Field

from app.models.row import Row


class Team(Row, table=True):
    """A team."""

    __tablename__ = "teams"

    name: str = Field(max_length=200)
'''
AUDIT = '''\
"""The table of audits, without an owner."""

from sqlmodel import Field

from app.models.row import Row


class Audit(Row, table=True):
    """An audit."""

    __tablename__ = "audits"

    reason: str = Field(max_length=200)
'''
INDEXES = '''\
"""Indexes of generated tables."""

import sqlalchemy as sa

from app.models.task import Task

sa.Index("ix_tasks_user_id_id", Task.__table__.c.user_id, Task.__table__.c.id)
'''
REFERENCE = '    team_id: row.Id | None = Field(default=None, foreign_key="teams.id")\n'
NICKNAME = "Nickname = Annotated[types.Text, Field(max_length=40)]\n"
DESCRIPTION = '    "nickname": "Nickname of the task.",\n'
NAMES_ROW = "| `GET /api/tasks/names` | Names of tasks |\n"
SETTING_ROW = "| `SUPPORT_EMAIL` | `help@example.com` | who helps |\n"
OVERRIDE = """
[[tool.mypy.overrides]]
module = ["untyped.*"]
ignore_missing_imports = true
"""
HOSTS = '    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["*"])\n'
VALIDATOR = """\
    @field_validator("description")
    @classmethod
    def _strip_description(cls, value: str | None) -> str | None:
        return value and value.strip()
"""
LIMIT = """\
    @field_validator("description")
    @classmethod
    def _check_description(cls, value: str | None) -> str | None:
        if value and value.isspace():
            raise ValueError("must not be blank")
        return value
"""
SUMMARY = '''\
class TaskSummary(ReadSchema):
    """The nickname of a task."""

    nickname: str | None = Field(description="Nickname of the task.")
'''
FUNCTION = '''\
async def task_names(scope: Scope) -> str:
    """Return the first tasks as text."""
    found = await list_tasks(scope, schemas.TaskQuery())
    return string.capwords(found.model_dump_json())
'''
ROUTE = '''\
@router.get("/names")
async def task_names(scope: ScopeDep) -> str:
    """Return the first tasks as text."""
    return html.escape(await service.task_names(scope))
'''
WEBHOOK = '''\
"""The webhook of a payment service, which has no token."""

from fastapi import APIRouter

from app.services import mail

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.post("/payments", status_code=204)
async def receive_payment() -> None:
    """Receive the notification of a payment."""
    await mail.send("A payment has arrived.")
'''
MAIL = '''\
"""Mail, which belongs to no user."""

import logging

logger = logging.getLogger(__name__)


async def send(text: str) -> None:
    """Send a mail."""
    logger.info(text)
'''
SAMPLE = """\
RESOURCE = replace(RESOURCE, body=lambda number: {**body(number), "nickname": f"Ada {number}"})
RESOURCE.invalid.append(("nickname", 7))
"""
MODULES = [
    Part("app/routers/webhooks.py", WEBHOOK, end),
    Part("app/services/mail.py", MAIL, end),
    Part(ARCHITECTURE, ', "mail", "webhooks"', after('OTHERS = {"__init__", "auth", "health"')),
]
EXCEPTION = """

class PaymentRequired(ApiError):
    status = HTTPStatus.PAYMENT_REQUIRED
    code = "PAYMENT_REQUIRED"
    default_detail = "Payment is required."
"""
HANDLER = "    app.exception_handler(TimeoutError)(handle_timeout)\n"
HANDLE = '''\
async def handle_timeout(_request: Request, _error: TimeoutError) -> Response:
    """Return the response to a timeout."""
    return error_response(ApiError("Timed out."))
'''
FIXTURE = '''

@pytest.fixture
def nickname() -> str:
    """A nickname."""
    return "Ada"
'''
TEST = """

async def test_version_is_not_a_row(client: AsyncClient) -> None:
    assert (await client.get("/version")).status_code == 404
"""
CACHE = """\
  cache:
    image: redis:8
    restart: unless-stopped

"""

KINDS = [
    own_member(
        "column", MODEL, "Task", "    nickname: str | None = Field(default=None, max_length=40)\n"
    ),
    own_member(
        "column with an import",
        MODEL,
        "Task",
        "    budget: decimal.Decimal | None = Field(default=None, max_digits=9)\n",
        ("import decimal\n", "import datetime as dt\n"),
    ),
    own_member(
        "column with a type",
        MODEL,
        "Task",
        "    effort: timedelta | None = Field(default=None, sa_type=Interval)\n",
        ("from datetime import timedelta\n", "import datetime as dt\n"),
        ("from sqlalchemy import Interval\n", "import sqlalchemy as sa\n"),
    ),
    Kind(
        "column with a reference",
        [
            Part("app/models/team.py", TEAM, end),
            Part(MODEL, "from app.models import row\n", imports_apart),
            Part(MODEL, REFERENCE, first_in("Task")),
        ],
        [
            Part("app/models/team.py", TEAM, end),
            Part(MODEL, "from app.models import row\n", before("from app.models.datetimes")),
            Part(MODEL, REFERENCE, last_in("Task")),
        ],
    ),
    Kind(
        "index",
        [Part("app/models/indexes.py", INDEXES, end)],
        [Part(MODEL, ' sa.Index("ix_tasks_title", "title"),', after('"created_at", "id"),'))],
    ),
    anywhere("model", Part("app/models/audit.py", AUDIT, end)),
    own_member(
        "field of creation", SCHEMA, "TaskCreate", "    nickname: types.Text | None = None\n"
    ),
    own_member(
        "field of updates",
        SCHEMA,
        "TaskUpdate",
        "    nickname: types.Text | MISSING | None = MISSING\n",
    ),
    own_member(
        "field of responses",
        SCHEMA,
        "TaskRead",
        '    nickname: str | None = Field(description="Nickname of the task.")\n',
    ),
    own_member(
        "query parameter",
        SCHEMA,
        "TaskQuery",
        "    nickname: lists.Equals[types.Text] = MISSING\n",
    ),
    Kind(
        "description and example of a field",
        [
            Part(SCHEMA, DESCRIPTION, after("DESCRIPTIONS = {\n")),
            Part(SCHEMA, 'EXAMPLE["nickname"] = "Ada"\n', before("STORED_EXAMPLE:")),
        ],
        [
            Part(
                SCHEMA,
                '    "nickname": "Nickname of the task.",\n',
                after('"Tags of the task.",\n'),
            ),
            Part(SCHEMA, '    "nickname": "Ada",\n', after('    "tags": ["one", "two"],\n')),
        ],
    ),
    own_member(
        "validator",
        SCHEMA,
        "TaskCreate",
        VALIDATOR,
        ("from pydantic import field_validator\n", "from typing import Annotated, Literal\n\n"),
    ),
    Kind(
        "stricter rule",
        [
            Part(SCHEMA, "from pydantic import field_validator\n", imports_apart_in_schemas),
            Part(SCHEMA, LIMIT, first_in("TaskUpdate")),
        ],
        [Part(SCHEMA, "Field(max_length=500)", instead("Field(max_length=1000)"))],
    ),
    Kind(
        "type",
        [Part(SCHEMA, f"{NICKNAME}\n", before("# The OpenAPI documentation"))],
        [Part(SCHEMA, NICKNAME, before("Title = "))],
    ),
    Kind("schema", [Part(SCHEMA, SUMMARY, FIRST_CLASS)], [Part(SCHEMA, f"\n\n{SUMMARY}", end)]),
    Kind(
        "service function",
        [Part(SERVICE, "import string\n", imports_apart), Part(SERVICE, FUNCTION, FIRST_FUNCTION)],
        [
            Part(SERVICE, "import string\n", before("from collections.abc import Sequence\n")),
            Part(SERVICE, f"\n\n{FUNCTION}", end),
        ],
    ),
    Kind(
        "docstring",
        [Part(SERVICE, '"""Return a visible task."""', instead('"""Return a task."""'))],
        [Part(ROUTER, '"""Return a visible task."""', instead('"""Return a task."""'))],
    ),
    Kind(
        "route",
        [Part(ROUTER, "import html\n", imports_apart), Part(ROUTER, ROUTE, FIRST_FUNCTION)],
        [
            Part(ROUTER, "import html\n", before("from typing import Annotated\n")),
            Part(ROUTER, f"\n\n{ROUTE}", end),
        ],
    ),
    Kind(
        "router without a token, and service without a scope",
        [
            *MODULES,
            Part("app/factory.py", ", webhooks", after("from app.routers import install_routes")),
            Part(
                "app/factory.py",
                "    app.include_router(webhooks.router)\n",
                before("    install_routes(app)\n"),
            ),
        ],
        [
            *MODULES,
            Part(
                ROUTERS,
                ", webhooks",
                after("from app.routers import auth, health, label, project, task"),
            ),
            Part(ROUTERS, "    webhooks.router,\n", after("    label.router,\n")),
        ],
    ),
    own_member(
        "setting",
        "app/settings.py",
        "Settings",
        '    support_email: str = "help@example.com"\n',
    ),
    Kind(
        "line of .env.example",
        [Part(".env.example", "\n# SUPPORT_EMAIL=help@example.com\n", end)],
        [Part(".env.example", "# JWT_LEEWAY=1\n", after("# JWT_ALGORITHM=HS256\n"))],
    ),
    Kind(
        "section of the README",
        [Part("README.md", "\n## On call\n\nAsk Ada.\n", end)],
        [Part("README.md", "## On call\n\nAsk Ada.\n\n", before("## API\n"))],
    ),
    Kind(
        "rows of the README",
        [
            Part("README.md", NAMES_ROW, after("| Whether the database answers |\n")),
            Part("README.md", SETTING_ROW, after("tests never use `DATABASE_URL` |\n")),
        ],
        [
            Part("README.md", NAMES_ROW, before("| `POST /api/auth/register` |")),
            Part("README.md", SETTING_ROW, before("| `CORS_ORIGINS` |")),
        ],
    ),
    anywhere("instruction for agents", Part("AGENTS.md", "- Ask Ada first.\n", end)),
    anywhere("line of a page", Part("docs/database.md", "\nAda has the passwords.\n", end)),
    Kind(
        "dependencies",
        [
            Part(
                "pyproject.toml",
                '    "jinja2>=3.1,<4",\n',
                after('"uvicorn[standard]>=0.54.0,<0.55",\n'),
            ),
            Part("pyproject.toml", '    "respx>=0.22,<1",\n', after('"ruff>=0.17.5,<0.18",\n')),
        ],
        [
            Part("pyproject.toml", '    "jinja2>=3.1,<4",\n', before('    "limits>=')),
            Part("pyproject.toml", '    "greenlet>=3,<4",\n', before('    "httpx>=')),
        ],
    ),
    anywhere(
        "rule of Ruff",
        Part("pyproject.toml", '    # Ours.\n    "S311",\n', after('    "TRY003",\n')),
    ),
    anywhere(
        "override of mypy",
        Part("pyproject.toml", OVERRIDE, after('plugins = ["pydantic.mypy"]\n')),
    ),
    anywhere("service in Compose", Part("compose.yaml", CACHE, before("volumes:\n  postgres"))),
    anywhere(
        "line of the Dockerfile", Part("Dockerfile", "LABEL team=ada\n", before("USER app\n"))
    ),
    anywhere(
        "target of the Makefile", Part("Makefile", "\nhello: ## Say hello\n\t@echo Hello\n", end)
    ),
    anywhere(
        "step of continuous integration",
        Part(
            ".github/workflows/ci.yml",
            "      - run: make hello\n",
            after("      - run: make check\n"),
        ),
    ),
    anywhere("exception", Part("app/errors.py", EXCEPTION, end)),
    anywhere(
        "error handler",
        Part("app/http/error_handlers.py", HANDLE, FIRST_FUNCTION),
        Part("app/http/error_handlers.py", HANDLER, end),
    ),
    anywhere("middleware", Part(MIDDLEWARE, HOSTS, end)),
    anywhere("test in a generated module", Part("tests/routers/test_health.py", TEST, end)),
    anywhere("fixture", Part("tests/conftest.py", FIXTURE, end)),
    Kind(
        "sample data",
        [
            Part(SAMPLES, "from dataclasses import replace\n", imports_apart),
            Part(SAMPLES, f"\n{SAMPLE}", end),
        ],
        [
            Part(SAMPLES, '        "nickname": f"Ada {number}",\n', after("    return {\n")),
            Part(SAMPLES, '        ("nickname", 7),\n', after("    invalid=[\n")),
        ],
    ),
]
