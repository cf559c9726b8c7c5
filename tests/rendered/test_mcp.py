"""Agents over HTTP: two users, their own rows, refused tokens, and the metadata of the resource."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Render
from tests.support.cells import STRENGTH
from tests.support.environment import Environment
from tests.support.mcp_agent import PROTOCOLS, Agent, agent_of
from tests.support.preset_server import SECRET, Api, Caller, serve

ISSUER = "https://issuer.example.com"
LIST = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()
HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}

# The user's id is in the paths of the API, but in no tool.
COMMON: dict[str, Any] = {"mcp": True, "route_scope": "path", "api_prefix": "/api/v1"}
ANSWERS: dict[str, dict[str, Any]] = {
    "local": COMMON | {"auth": "local", "pagination": "list", "foreign_access": "forbidden"},
    "external": COMMON | {"auth": "external", "id_type": "int", "error_format": "envelope"},
}
FOREIGN = {"local": "FORBIDDEN", "external": "NOT_FOUND"}

pytestmark = [
    pytest.mark.long,
    # Otherwise, only the preset phase-three is tested over HTTP.
    pytest.mark.skipif(STRENGTH < 3, reason="TEST_STRENGTH=3 runs it"),
]


@pytest.fixture(params=ANSWERS)
def api(
    request: pytest.FixtureRequest, render: Render, environment: Environment, tmp_path: Path
) -> Iterator[Api]:
    """A served app, whose users are its own or those of another service."""
    settings = {"BETTER_AUTH_SECRET": SECRET, "JWT_ISSUER": ISSUER}
    if request.param == "local":
        settings = {"JWT_SECRET_KEY": SECRET}
    url = f"sqlite:///{tmp_path / 'app.db'}"
    with serve(environment, render(**ANSWERS[request.param]), url, **settings) as api:
        yield api


def user(api: Api, name: str) -> Caller:
    """Return a user of the app, or of the other service."""
    local = api.answers["auth"] == "local"
    return api.register() if local else api.bearer(name, iss=ISSUER)


def check_every_tool(agent: Agent, caller: Caller) -> None:
    """Call every tool of a task, and compare with the API."""
    tasks = f"/api/v1/{caller.id}/tasks"
    one = agent.call("create_task", title="Buy milk")
    assert caller.get(200, f"{tasks}/{one['id']}") == agent.call("get_task", id=one["id"]) == one
    agent.call("update_task", id=one["id"], title="Buy oat milk")
    for _ in range(2):
        assert agent.call("complete_task", id=one["id"])["completed"]
    assert agent.call("list_tasks", completed=True)["items"][0]["title"] == "Buy oat milk"
    assert agent.call("search_tasks", query="oat")["items"][0]["id"] == one["id"]
    assert agent.call("task_stats") == caller.get(200, f"{tasks}/stats")
    agent.call("delete_task", id=one["id"])
    caller.get(404, f"{tasks}/{one['id']}")
    assert agent.call("list_tasks")["items"] == []


def check_refusals(agent: Agent, row: dict[str, Any], owner: Caller, foreign: str) -> None:
    """Try to reach a row of another user."""
    for tool in ("get_task", "update_task", "complete_task", "delete_task"):
        agent.fail(tool, foreign, id=row["id"])
        assert "user_id" in agent.fail(tool, "VALIDATION_ERROR", id=row["id"], user_id=owner.id)
    for tool in ("list_tasks", "task_stats", "create_task"):
        assert "user_id" in agent.fail(tool, "VALIDATION_ERROR", user_id=owner.id)
    assert agent.call("search_tasks", query="Bob")["items"] == []
    assert agent.call("task_stats")["total"] == 0
    assert set(agent.fail("create_task", "VALIDATION_ERROR", title="\0")) == {"title"}


@pytest.mark.parametrize("mode", PROTOCOLS)
def test_tools_of_two_users(api: Api, environment: Environment, mode: str) -> None:
    ada, bob = user(api, "ada"), user(api, "bob")
    row = bob.post(201, f"/api/v1/{bob.id}/tasks", {"title": "Bob's own"})
    with agent_of(environment, ada, mode) as agent:
        assert all("user_id" not in str(tool["inputSchema"]) for tool in agent.tools.values())
        check_every_tool(agent, ada)
        check_refusals(agent, row, bob, FOREIGN[api.answers["auth"]])
    assert bob.get(200, f"/api/v1/{bob.id}/tasks/{row['id']}") == row


def test_token_is_required(api: Api, environment: Environment) -> None:
    for token in ("", "x", sign_for_others(api)):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = api.send("POST", "/api/v1/mcp", LIST, **HEADERS, **headers)
        assert answer.status == 401
        challenge = answer.headers["WWW-Authenticate"]
        assert ('error="invalid_token"' in challenge) is bool(token)
        start = f'resource_metadata="http://127.0.0.1:{api.port}'
        path = challenge.partition(start)[2].removesuffix('"')
        metadata = api.anonymous().get(200, path)
        assert metadata["resource"] == f"http://127.0.0.1:{api.port}/api/v1/mcp"
        servers = [ISSUER] if api.answers["auth"] == "external" else None
        assert metadata.get("authorization_servers") == servers
        with pytest.raises(AssertionError), agent_of(environment, Caller(api, token, {})):
            pass


def sign_for_others(api: Api) -> str:
    """Return a token that is signed with another secret."""
    return api.bearer("ada", "another secret of a test, and of nothing else", iss=ISSUER).token
