"""Tools do what the routes do: agents and clients of the API see the same rows."""

from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import update
from sqlmodel import SQLModel

from app.db.database import Database
from tests.mcp.agents import PROTOCOLS, agent_of, tool_names
from tests.support.cases import each_resource_where, each_resource_with, every_resource
from tests.support.lists import rows_of
from tests.support.resource import Resource
from tests.support.rows import full_body, listed, make, make_all, stored
from tests.support.samples import RESOURCES
from tests.support.users import UserClient


def list_tool(resource: Resource) -> str:
    """Return the name of the tool that lists rows."""
    [name] = [name for name in tool_names(resource) if name.startswith("list_")]
    return name


async def test_tools_are_the_operations(app: FastAPI, alice: UserClient) -> None:
    async with agent_of(app, alice) as agent:
        tools = await agent.tools()
    assert tools.keys() == {name for resource in RESOURCES for name in tool_names(resource)}


async def test_tools_describe_themselves(app: FastAPI, alice: UserClient) -> None:
    async with agent_of(app, alice) as agent:
        tools = await agent.tools()
        server = agent.client.server_info
    assert server is not None
    assert (server.name, server.version) == (app.title, app.version)
    for name, tool in tools.items():
        assert tool.description, name
        assert tool.output_schema, name
        assert tool.input_schema["type"] == "object"
        assert tool.input_schema.get("additionalProperties") is False, name
        for field in tool.input_schema["properties"].values():
            assert field["description"], name


async def test_no_tool_takes_an_owner(app: FastAPI, alice: UserClient) -> None:
    async with agent_of(app, alice) as agent:
        for name, tool in (await agent.tools()).items():
            assert "user_id" not in tool.input_schema["properties"]
            errors = await agent.fail(name, "VALIDATION_ERROR", user_id=alice.user_id)
            assert "user_id" in errors


async def test_annotations(app: FastAPI, alice: UserClient) -> None:
    async with agent_of(app, alice) as agent:
        tools = await agent.tools()
    for name, tool in tools.items():
        hints = tool.annotations
        assert hints is not None
        assert hints.open_world_hint is False
        verb = name.partition("_")[0] if not name.endswith("_stats") else "stats"
        assert hints.read_only_hint is (verb in {"list", "search", "get", "stats"})
        if not hints.read_only_hint:
            assert hints.destructive_hint is (verb in {"update", "delete"})
            assert hints.idempotent_hint is (verb != "create")


@every_resource
@pytest.mark.parametrize("mode", PROTOCOLS)
async def test_life_of_a_row(
    app: FastAPI, alice: UserClient, resource: Resource, mode: str
) -> None:
    name = resource.name
    body = await full_body(alice, resource)
    async with agent_of(app, alice, mode) as agent:
        created = await agent.call(f"create_{name}", **body)
        assert created == await stored(alice, resource, created)
        assert created == await agent.call(f"get_{name}", id=created["id"])
        changes = resource.body(resource.rows - 1)
        updated = await agent.call(f"update_{name}", id=created["id"], **changes)
        assert updated == await stored(alice, resource, created)
        assert updated["id"] == created["id"]
        assert await agent.call(f"update_{name}", id=created["id"]) == updated
        assert await agent.call(f"delete_{name}", id=created["id"]) == {"deleted": True}
        assert (await alice.get(resource.row(created))).status_code == 404
        await agent.fail(f"delete_{name}", "NOT_FOUND", id=created["id"])


@every_resource
async def test_lists(app: FastAPI, alice: UserClient, resource: Resource) -> None:
    rows = await make_all(alice, resource)
    async with agent_of(app, alice) as agent:
        tool = (await agent.tools())[list_tool(resource)]
        limit = {"page_size", "limit"} & tool.input_schema["properties"].keys()
        for query in ({}, {"sort": "-id"}, {limit.pop(): 1, "sort": "id"}):
            response = await alice.get(resource.path, params=query)
            found = await agent.call(tool.name, **query)
            assert [row["id"] for row in found["items"]] == [row["id"] for row in rows_of(response)]
            content = response.json()
            if isinstance(content, dict):
                assert {**found, "items": []} == {**content, "items": []}
        [shown, *_] = [item for item in found["items"] if item["id"] == min_id(rows)]
    [row] = [row for row in rows if row["id"] == shown["id"]]
    assert next(iter(shown)) == "id"
    assert shown == {name: row[name] for name in shown}
    assert not {"user_id", "created_at", "updated_at"} & shown.keys()


def min_id(rows: list[dict[str, Any]]) -> Any:
    """Return the id of the oldest row."""
    return min(row["id"] for row in rows)


@every_resource
async def test_filters(app: FastAPI, alice: UserClient, resource: Resource) -> None:
    row = await make(alice, resource)
    async with agent_of(app, alice) as agent:
        for name in resource.filterable:
            if row[name] is None:
                continue
            found = await agent.call(list_tool(resource), **{name: row[name]})
            assert row["id"] in [item["id"] for item in found["items"]], name


@each_resource_with("search")
async def test_search(app: FastAPI, alice: UserClient, resource: Resource) -> None:
    row = await make(alice, resource)
    tool = list_tool(resource).replace("list_", "search_")
    async with agent_of(app, alice) as agent:
        query = row[resource.searched[0]]
        assert [one["id"] for one in (await agent.call(tool, query=query))["items"]] == [row["id"]]
        assert (await agent.call(tool, query="no row has this"))["items"] == []
        assert "query" in await agent.fail(tool, "VALIDATION_ERROR")


@each_resource_with("stats")
async def test_stats(app: FastAPI, alice: UserClient, resource: Resource) -> None:
    await make_all(alice, resource)
    async with agent_of(app, alice) as agent:
        found = await agent.call(f"{resource.name}_stats")
    assert found == (await alice.get(f"{resource.path}/stats")).json()
    assert found["total"] == resource.rows


@each_resource_with("complete")
async def test_completion_can_be_repeated(
    app: FastAPI, alice: UserClient, resource: Resource
) -> None:
    row = await make(alice, resource, completed=False)
    async with agent_of(app, alice) as agent:
        for _ in range(2):
            completed = await agent.call(f"complete_{resource.name}", id=row["id"])
            assert completed["completed"] is True
    assert (await stored(alice, resource, row))["completed"] is True
    assert len(await listed(alice, resource.path)) == 1


@each_resource_where(lambda resource: resource.choices)
async def test_choices_of_another_version(
    app: FastAPI, alice: UserClient, resource: Resource, database: Database
) -> None:
    row = await make(alice, resource)
    table = SQLModel.metadata.tables[list_tool(resource).removeprefix("list_")]
    await database.execute(update(table).values(dict.fromkeys(resource.choices, "former")))
    async with agent_of(app, alice) as agent:
        found = await agent.call(f"get_{resource.name}", id=row["id"])
        [shown] = (await agent.call(list_tool(resource)))["items"]
    for name in resource.choices:
        assert found[name] == shown[name] == "former"


@every_resource
async def test_rows_of_another_version_may_have_nulls(
    app: FastAPI, alice: UserClient, resource: Resource
) -> None:
    async with agent_of(app, alice) as agent:
        schema = (await agent.tools())[f"get_{resource.name}"].output_schema
    assert schema is not None
    for name, field in schema["properties"].items():
        assert "null" in field.get("type", []) or {"type": "null"} in field["anyOf"], name
