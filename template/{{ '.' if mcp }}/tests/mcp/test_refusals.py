"""What tools refuse: rows of other users, and invalid arguments, with the messages of the API."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from fastapi import FastAPI

from app.db.scope import Scope
from app.errors import ServiceUnavailable
from app.state import get_state
from tests.mcp.agents import PROTOCOLS, agent_of, tool_names
from tests.support.api import ABSENT_ID, FOREIGN_STATUS
from tests.support.cases import each_resource_where, each_value, every_resource
from tests.support.resource import Resource
from tests.support.rows import full_body, make, stored
from tests.support.samples import RESOURCES
from tests.support.users import UserClient

FOREIGN_CODE = {404: "NOT_FOUND", 403: "FORBIDDEN"}[FOREIGN_STATUS]
SECRET = "hunter2"
GET = f"get_{RESOURCES[0].name}"

Configure = Callable[..., io.StringIO]


def tools_of_a_row(resource: Resource) -> list[str]:
    """Return the names of the tools that take an id."""
    verbs = ("get_", "update_", "complete_", "delete_")
    return sorted(name for name in tool_names(resource) if name.startswith(verbs))


@each_resource_where(lambda resource: resource.owned)
async def test_rows_of_other_users(
    app: FastAPI, alice: UserClient, bob: UserClient, resource: Resource
) -> None:
    row = await make(alice, resource)
    async with agent_of(app, bob) as agent:
        for name in tool_names(resource):
            if name.startswith("list_"):
                assert (await agent.call(name))["items"] == []
            if name.endswith("_stats"):
                assert (await agent.call(name))["total"] == 0
            if name.startswith("search_"):
                query = row[resource.searched[0]]
                assert (await agent.call(name, query=query))["items"] == []
        for name in tools_of_a_row(resource):
            await agent.fail(name, FOREIGN_CODE, id=row["id"])
        changes = resource.body(resource.rows - 1)
        await agent.fail(f"update_{resource.name}", FOREIGN_CODE, id=row["id"], **changes)
    assert await stored(alice, resource, row) == row


@each_resource_where(lambda resource: resource.references)
async def test_references_to_rows_of_other_users(
    app: FastAPI, alice: UserClient, bob: UserClient, resource: Resource
) -> None:
    foreign = await full_body(alice, resource)
    [name, *_] = resource.references
    own = await full_body(bob, resource)
    async with agent_of(app, bob) as agent:
        body = own | {name: ABSENT_ID}
        expected = await agent.fail(f"create_{resource.name}", "VALIDATION_ERROR", **body)
        assert name in expected
        for other, value in foreign.items():
            if other in resource.references and value != own[other]:
                changed = own | {other: value}
                create = f"create_{resource.name}"
                assert other in await agent.fail(create, "VALIDATION_ERROR", **changed)


@every_resource
async def test_missing_rows(app: FastAPI, alice: UserClient, resource: Resource) -> None:
    async with agent_of(app, alice) as agent:
        for name in tools_of_a_row(resource):
            await agent.fail(name, "NOT_FOUND", id=ABSENT_ID)
            assert set(await agent.fail(name, "VALIDATION_ERROR", id="x")) == {"id"}
            assert set(await agent.fail(name, "VALIDATION_ERROR")) == {"id"}


@each_value(lambda resource: resource.invalid)
async def test_invalid_values(
    app: FastAPI, alice: UserClient, resource: Resource, name: str, value: Any
) -> None:
    row = await make(alice, resource)
    body = await full_body(alice, resource) | {name: value}
    async with agent_of(app, alice) as agent:
        errors = await agent.fail(f"create_{resource.name}", "VALIDATION_ERROR", **body)
        assert {field.partition(".")[0] for field in errors} == {name}
        changes = {"id": row["id"], name: value}
        assert await agent.fail(f"update_{resource.name}", "VALIDATION_ERROR", **changes) == errors
    assert await stored(alice, resource, row) == row


@each_resource_where(lambda resource: resource.has_unique)
async def test_unique_values(app: FastAPI, alice: UserClient, resource: Resource) -> None:
    row = await make(alice, resource)
    body = {name: row[name] for name in await full_body(alice, resource)}
    async with agent_of(app, alice) as agent:
        await agent.fail(f"create_{resource.name}", "CONFLICT", **body)


@pytest.mark.parametrize("mode", PROTOCOLS)
async def test_unexpected_errors_are_only_logged_and_reported(
    app: FastAPI, alice: UserClient, configure: Configure, mode: str
) -> None:
    text = configure("json")
    reporter = mock.Mock()
    state = replace(get_state(app), reporters=[reporter])
    async with agent_of(app, alice, mode) as agent:
        with (
            mock.patch.object(Scope, "execute", side_effect=RuntimeError(SECRET)),
            mock.patch("app.mcp.server.get_state", return_value=state),
        ):
            result, content = await agent.result(GET, id=ABSENT_ID)
    reporter.report.assert_called_once()
    assert result.is_error
    assert content == {"code": "INTERNAL_ERROR", "message": "An unexpected error occurred."}
    lines = [json.loads(line) for line in text.getvalue().splitlines()]
    [line] = [line for line in lines if line["logger"] == "app.mcp.server"]
    assert line["level"] == "ERROR"
    assert f"RuntimeError: {SECRET}" in line["exc_info"]
    assert line["request_id"] != "-"


async def test_unavailable_database(app: FastAPI, alice: UserClient, configure: Configure) -> None:
    text = configure("json")
    async with agent_of(app, alice) as agent:
        with mock.patch.object(Scope, "execute", side_effect=ServiceUnavailable):
            await agent.fail(GET, "SERVICE_UNAVAILABLE", id=ABSENT_ID)
    assert '"logger": "app.mcp.server"' in text.getvalue()
