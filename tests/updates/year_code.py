"""What a team writes by hand in a year, and where it goes."""

from tests.support.own_edits import (
    Part,
    after,
    before,
    end,
    first_in,
)
from tests.updates.own_lines import KINDS

DOCUMENTED = {kind.name: kind.documented for kind in KINDS}
FACTORY, PYPROJECT, USER = "app/factory.py", "pyproject.toml", "app/models/user.py"
MODEL_OF_CUSTOMERS = "app/models/customer.py"

CUSTOMER = '''\
"""The table of customers."""

import sqlalchemy as sa
from sqlmodel import Field

from app.models.owned import Owned
from app.models.timestamped import Timestamped


class Customer(Timestamped, Owned, table=True):
    """A customer."""

    __tablename__ = "customers"

    name: str = Field(max_length=100)
    country: str = Field(sa_type=sa.CHAR(2))
'''
CUSTOMER_SCHEMAS = '''\
"""Customers in requests and responses."""

from typing import Annotated

from pydantic import Field

from app.models import customer as models
from app.schemas import lists, pages, types
from app.schemas.base import ReadSchema, WriteSchema

Country = Annotated[str, Field(pattern="^[A-Z]{2}$", description="Country of the customer.")]


class CustomerCreate(WriteSchema):
    """A new customer."""

    name: Annotated[types.NotBlank, Field(max_length=100, description="Name of the customer.")]
    country: Country


class CustomerQuery(pages.PageQuery):
    """Sort order and page of a list of customers."""

    sort: str = Field(
        default=lists.newest_first(models.Customer),
        pattern=lists.sort_pattern(models.Customer),
    )


class CustomerRead(ReadSchema):
    """A stored customer."""

    id: types.Id = Field(description="Id of the customer.")
    name: str = Field(description="Name of the customer.")
    country: str = Field(description="Country of the customer.")


class CustomerPage(pages.Page[CustomerRead]):
    """A page of customers."""
'''
CUSTOMER_SERVICE = '''\
"""Operations on customers. Every function takes the caller's `Scope` first."""

from app.db.pagination import paginate
from app.db.scope import Scope
from app.models import customer as models
from app.schemas import customer as schemas


async def create_customer(scope: Scope, data: schemas.CustomerCreate) -> schemas.CustomerRead:
    """Create a customer."""
    return schemas.CustomerRead(**await scope.insert(models.Customer, data.model_dump()))


async def list_customers(scope: Scope, query: schemas.CustomerQuery) -> schemas.CustomerPage:
    """List customers."""
    return await paginate(scope, models.Customer, query, schemas.CustomerPage)
'''
CUSTOMER_ROUTER = '''\
"""HTTP routes of customers."""

from typing import Annotated

from fastapi import Depends

from app.dependencies import ScopeDep, current_scope
from app.http.error_responses import responses
from app.http.query import QueryParameters
from app.http.routing import PrefixRouter
from app.schemas import customer as schemas
from app.services import customer as service

router = PrefixRouter(
    prefix="/customers",
    tags=["customers"],
    dependencies=[current_scope],
    responses=responses(401),
)

CustomerQuery = Annotated[schemas.CustomerQuery, Depends(QueryParameters(schemas.CustomerQuery))]


@router.post("", status_code=201, responses=responses(413, 422))
async def create_customer(scope: ScopeDep, data: schemas.CustomerCreate) -> schemas.CustomerRead:
    """Create a customer."""
    return await service.create_customer(scope, data)


@router.get("", responses=responses(422))
async def list_customers(scope: ScopeDep, query: CustomerQuery) -> schemas.CustomerPage:
    """List the customers of the current user."""
    return await service.list_customers(scope, query)
'''
CUSTOMER_TESTS = '''\
"""Customers."""

from tests.support.users import UserClient

BODY = {"name": "Hall", "country": "DE"}


async def test_a_customer_belongs_to_its_user(alice: UserClient, bob: UserClient) -> None:
    created = await alice.post("/customers", json=BODY)
    assert created.status_code == 201
    assert created.json().items() >= BODY.items()
    assert (await alice.get("/customers")).json()["items"] == [created.json()]
    assert (await bob.get("/customers")).json()["items"] == []


async def test_a_country_has_two_letters(alice: UserClient) -> None:
    response = await alice.post("/customers", json=BODY | {"country": "Germany"})
    assert response.status_code == 422
'''
CUSTOMERS = [
    Part(MODEL_OF_CUSTOMERS, CUSTOMER, end),
    Part("app/schemas/customer.py", CUSTOMER_SCHEMAS, end),
    Part("app/services/customer.py", CUSTOMER_SERVICE, end),
    Part("app/routers/customer.py", CUSTOMER_ROUTER, end),
    Part("tests/routers/test_customers.py", CUSTOMER_TESTS, end),
    Part(FACTORY, "API_PREFIX, ", after("from app import ")),
    Part(FACTORY, "customer, ", after("from app.routers import ")),
    Part(
        FACTORY,
        "    app.include_router(customer.router, prefix=API_PREFIX, responses=responses(503))\n",
        before("    install_routes(app)\n"),
    ),
    Part(FACTORY, "from app.http.error_responses import responses\n", before("from app.http.logs")),
]
NOTES = '''\
"""Notes of releases, as HTML."""

from markdown_it import MarkdownIt


def html(text: str) -> str:
    """Return Markdown as HTML."""
    return str(MarkdownIt().render(text))
'''
NOTES_TESTS = '''\
"""Notes of releases."""

from app.http.notes import html


def test_markdown_becomes_html() -> None:
    assert html("# News") == "<h1>News</h1>\\n"
'''
NOTES_OF_RELEASES = [
    Part("app/http/notes.py", NOTES, end),
    Part("tests/http/test_notes.py", NOTES_TESTS, end),
    Part(
        PYPROJECT,
        '    "markdown-it-py>=4,<5",\n',
        after('"uvicorn[standard]>=0.54.0,<0.55",\n'),
    ),
]
SETTING_TESTS = '''\
"""Settings of our own."""

from app.settings import Settings


def test_support_has_an_address() -> None:
    assert Settings.model_fields["support_email"].default == "help@example.com"
'''
WEBHOOK_TESTS = '''\
"""The webhook of the payment service."""

from httpx import AsyncClient


async def test_a_payment_needs_no_token(client: AsyncClient) -> None:
    assert (await client.post("/webhooks/payments")).status_code == 204
'''
LOCALE = [Part(USER, '    locale: str = Field(default="en", max_length=9)\n', first_in("User"))]
STATUS = [
    Part(
        MODEL_OF_CUSTOMERS,
        '    status: str = Field(max_length=9, sa_column_kwargs={"server_default": "open"})\n',
        first_in("Customer"),
    )
]
# One for each of two branches.
REGION = [Part(MODEL_OF_CUSTOMERS, '    region: str = Field(default="north", max_length=9)\n', end)]
LEADER = [Part("app/models/team.py", '    leader: str = Field(default="Ada", max_length=9)\n', end)]
# A helper that the search alone needs.
EDITED_SEARCH = [Part("app/db/search.py", "\n\n# Ada has measured this in May.\n", end)]

SQLITE_ONLY = """\
    if op.get_context().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER count_tasks AFTER INSERT ON tasks BEGIN "
            "UPDATE users SET name = coalesce(name, '') || ':'; END"
        )
        op.execute("CREATE VIEW titles AS SELECT title FROM tasks")
"""
SQLITE_ONLY_DOWN = """\
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP VIEW titles")
        op.execute("DROP TRIGGER count_tasks")
"""
EXTENSION = """\
    if op.get_context().dialect.name == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
"""
TRIGRAMS = """

sa.Index(
    "ix_tasks_description_trgm",
    Task.__table__.c.description,
    postgresql_using="gin",
    postgresql_ops={"description": "gin_trgm_ops"},
)
"""
TRIGRAM_INDEX = [Part("app/models/indexes.py", TRIGRAMS, end)]
PAINTED = '    op.execute("UPDATE customers SET name = upper(name)")\n'
