"""The statements and connections that each request takes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import Response
from sqlalchemy import Executable, event
from sqlalchemy.engine import Connection

from app.db.prepared import Prepared, prepare
from app.state import get_state
from tests.support.cases import every_resource
from tests.support.resource import Resource
from tests.support.rows import full_body, make
from tests.support.samples import RESOURCES
from tests.support.users import UserClient

Send = Callable[[UserClient, Resource, dict[str, Any]], Awaitable[Response]]


def same(resource: Resource, row: dict[str, Any]) -> dict[str, Any]:
    """Return the body of an update that changes nothing, so that no value is already in use."""
    return {name: row[name] for name in resource.body(0)}


OPERATIONS: dict[str, Send] = {
    "list": lambda user, resource, _: user.get(resource.path, params={"sort": "-id"}),
    "get": lambda user, resource, row: user.get(resource.row(row)),
    "update": lambda user, resource, row: user.update(resource.row(row), json=same(resource, row)),
    "search": lambda user, resource, row: user.get(
        f"{resource.path}/search", params={"query": row[resource.searched[0]][:1]}
    ),
    "stats": lambda user, resource, _: user.get(f"{resource.path}/stats"),
    "delete": lambda user, resource, row: user.delete(resource.row(row)),
}


@dataclass
class Observed:
    """What happened on the database."""

    statements: list[Executable] = field(default_factory=list)
    # Those that the driver executed, without SQLAlchemy.
    prepared: list[Executable] = field(default_factory=list)
    compilations: int = 0
    connections: int = 0
    in_use: int = 0
    most_in_use: int = 0

    def clear(self) -> None:
        """Forget everything."""
        self.statements.clear()
        self.prepared.clear()
        self.compilations = self.connections = self.most_in_use = 0


@pytest.fixture
async def observed(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Observed]:
    """Observe the database while a test runs."""
    engine = get_state(app).database.engine.sync_engine
    found = Observed()

    class Compiler(engine.dialect.statement_compiler):  # type: ignore[misc,name-defined]
        """The compiler of the database, which counts."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            found.compilations += 1
            super().__init__(*arguments, **options)

    def note_statement(_: Connection, statement: Executable, *_arguments: Any) -> None:
        found.statements.append(statement)

    def note_prepared(statement: Executable, *arguments: Any) -> Prepared | None:
        prepared = prepare(statement, *arguments)
        if prepared is not None:
            found.statements.append(statement)
            found.prepared.append(statement)
        return prepared

    def note_checkout(*_: Any) -> None:
        found.connections += 1
        found.in_use += 1
        found.most_in_use = max(found.most_in_use, found.in_use)

    def note_return(*_: Any) -> None:
        found.in_use -= 1

    monkeypatch.setattr(engine.dialect, "statement_compiler", Compiler)
    monkeypatch.setattr("app.db.database.prepare", note_prepared)
    event.listen(engine, "before_execute", note_statement)
    event.listen(engine, "checkout", note_checkout)
    event.listen(engine, "checkin", note_return)
    yield found
    event.remove(engine, "before_execute", note_statement)
    event.remove(engine, "checkout", note_checkout)
    event.remove(engine, "checkin", note_return)


OPTIONAL = {"search", "stats"}
# Rows with links are written in a transaction.
WITHOUT_LINKS = [resource for resource in RESOURCES if not resource.links]

each_operation = pytest.mark.parametrize(
    ("resource", "operation"),
    [
        (resource, operation)
        for resource in WITHOUT_LINKS
        for operation in OPERATIONS
        if operation not in OPTIONAL or operation in resource.operations
    ],
    ids=str,
)


@each_operation
async def test_one_statement_on_one_connection(
    alice: UserClient, resource: Resource, observed: Observed, operation: str
) -> None:
    row = await make(alice, resource)
    observed.clear()
    response = await OPERATIONS[operation](alice, resource, row)
    assert response.is_success, response.text
    assert len(observed.statements) == observed.connections == 1
    assert observed.prepared == observed.statements


@pytest.mark.parametrize("resource", WITHOUT_LINKS, ids=str)
async def test_create_takes_one_statement_on_one_connection(
    alice: UserClient, resource: Resource, observed: Observed
) -> None:
    body = await full_body(alice, resource)
    observed.clear()
    response = await alice.post(resource.path, json=body)
    assert response.status_code == 201
    # Without an owner, the session of the caller takes a statement of its own.
    allowed = {1} if resource.owned else {1, 2}
    assert len(observed.statements) in allowed
    assert observed.connections == len(observed.statements)


@each_operation
async def test_statements_are_built_and_compiled_once(
    alice: UserClient, resource: Resource, observed: Observed, operation: str
) -> None:
    send = OPERATIONS[operation]
    rows = [await make(alice, resource, number) for number in range(min(2, resource.rows))]
    await send(alice, resource, rows[0])
    first = observed.statements[-1]
    observed.clear()
    await send(alice, resource, rows[-1])
    assert observed.statements[0] is first
    assert observed.compilations == 0


@every_resource
async def test_lists_are_sorted_last(
    alice: UserClient, resource: Resource, observed: Observed
) -> None:
    # A database need not keep the order of a subquery, though SQLite does.
    observed.clear()
    await alice.get(resource.path)
    assert "ORDER BY" in str(observed.statements[0]).rpartition("FROM")[2]


@every_resource
async def test_requests_hold_one_connection_at_most(
    alice: UserClient, resource: Resource, observed: Observed
) -> None:
    row = await make(alice, resource)
    for path in (resource.path, resource.absent, f"{resource.path}?sort=id,id"):
        await alice.get(path)
    body = resource.body(0)
    await alice.post(f"{resource.path}/bulk", json=[await full_body(alice, resource)])
    await alice.update(resource.row(row), json={"Unknown": 1})
    await alice.update(resource.row(row), json=body | {name: [] for name in resource.links})
    await alice.delete(resource.row(row))
    await alice.delete(resource.row(row))
    assert observed.most_in_use == 1
    assert observed.in_use == 0
