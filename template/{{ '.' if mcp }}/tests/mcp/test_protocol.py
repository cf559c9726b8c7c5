"""The transport: tokens, metadata, methods, limits, origins and logs of messages."""

import io
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from mcp import MCPError

from app.mcp.routes import METADATA_PATH, PATH
from tests.mcp.agents import ACCEPTED, PROTOCOLS, agent_of, message, post
from tests.support.error_shape import error_of
from tests.support.probe import open_client
from tests.support.users import UserClient

LIST = message("tools/list")
METADATA = re.compile(r'resource_metadata="([^"]+)"')


@pytest.mark.parametrize(
    ("headers", "challenge"),
    [
        ({}, "Bearer resource_metadata="),
        ({"Authorization": "Bearer x"}, 'Bearer error="invalid_token", error_description='),
    ],
)
async def test_token_is_required(
    client: AsyncClient, headers: dict[str, str], challenge: str
) -> None:
    response = await client.post(PATH, json=LIST, headers=ACCEPTED | headers)
    error_of(response, 401, "UNAUTHORIZED")
    sent = response.headers["WWW-Authenticate"]
    assert sent.startswith(challenge)
    [url] = METADATA.findall(sent)
    assert url == f"http://test{METADATA_PATH}"
    metadata = (await client.get(url)).json()
    assert metadata["resource"] == f"http://test{PATH}"
    assert metadata["bearer_methods_supported"] == ["header"]


@pytest.mark.parametrize("mode", [*PROTOCOLS, "auto"])
async def test_client_without_a_token(app: FastAPI, alice: UserClient, mode: str) -> None:
    alice.http.headers["Authorization"] = "Bearer x"
    with pytest.RaisesGroup(MCPError, flatten_subgroups=True, allow_unwrapped=True):
        async with agent_of(app, alice, mode) as agent:
            await agent.tools()


async def test_url_of_the_metadata_is_that_of_the_client(client: AsyncClient) -> None:
    headers = {"Host": "api.example.com:8443"}
    response = await client.post(PATH, json=LIST, headers=headers)
    [url] = METADATA.findall(response.headers["WWW-Authenticate"])
    assert url == f"http://api.example.com:8443{METADATA_PATH}"
    for host in ('a"b', "a, b", "a\\b"):
        response = await client.post(PATH, json=LIST, headers={"Host": host})
        [url] = METADATA.findall(response.headers["WWW-Authenticate"])
        assert urlsplit(url).hostname == "test"


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PUT"])
async def test_messages_are_posted(alice: UserClient, method: str) -> None:
    response = await alice.http.request(method, PATH, headers=ACCEPTED)
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"{}",
        b'{"jsonrpc": "2.0"}',
        b"\xff",
        b'{"a": "\\ud800"}',
        b"[" * 9999,
    ],
)
@pytest.mark.parametrize("headers", [{}, {"MCP-Protocol-Version": "2026-07-28"}])
async def test_invalid_message(alice: UserClient, content: bytes, headers: dict[str, str]) -> None:
    sent = ACCEPTED | headers | {"Content-Type": "application/json"}
    response = await alice.http.post(PATH, content=content, headers=sent)
    error_of(response, 400, "BAD_REQUEST")


async def test_too_large_message(alice: UserClient) -> None:
    response = await post(alice, message("tools/list", cursor="x" * 1024 * 1024))
    error_of(response, 413, "PAYLOAD_TOO_LARGE")


async def test_unknown_method_and_tool(alice: UserClient) -> None:
    response = await post(alice, message("nothing"))
    assert response.json()["error"]["code"] == -32601
    response = await post(alice, message("tools/call", name="hunter2", arguments={}))
    assert response.json()["error"] == {"code": -32602, "message": "Unknown tool."}


async def test_messages_need_no_session(alice: UserClient) -> None:
    response = await post(alice, LIST)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert "Mcp-Session-Id" not in response.headers
    assert response.json()["result"]["tools"]
    notification = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert (await post(alice, notification)).status_code == 202


async def test_origins(app: FastAPI, alice: UserClient) -> None:
    allowed, other = "https://app.example.com", "http://test"
    async with open_client(app, cors_origins=[allowed]) as client:
        headers = ACCEPTED | {"Authorization": alice.http.headers["Authorization"]}
        for origin, status in ((allowed, 200), (other, 403), ("null", 403)):
            sent = headers | {"Origin": origin}
            assert (await client.post(PATH, json=LIST, headers=sent)).status_code == status
    async with open_client(app, cors_origins=["*"]) as client:
        sent = headers | {"Origin": other}
        assert (await client.post(PATH, json=LIST, headers=sent)).status_code == 200


async def test_hosts(app: FastAPI, alice: UserClient) -> None:
    headers = ACCEPTED | {"Authorization": alice.http.headers["Authorization"]}
    async with open_client(app, allowed_hosts=["*.example.com"]) as client:
        for host, status in (("api.example.com", 200), ("test", 400)):
            sent = headers | {"Host": host}
            assert (await client.post(PATH, json=LIST, headers=sent)).status_code == status


async def test_requests_are_limited_by_user(
    app: FastAPI, alice: UserClient, bob: UserClient
) -> None:
    async with open_client(app, rate_limit_requests="2/hour") as client:
        statuses = []
        for user in (alice, alice, alice, bob):
            headers = ACCEPTED | {"Authorization": user.http.headers["Authorization"]}
            response = await client.post(PATH, json=LIST, headers=headers)
            statuses.append(response.status_code)
    assert statuses == [200, 200, 429, 200]


async def test_access_log(alice: UserClient, configure: Callable[..., io.StringIO]) -> None:
    text = configure("json")
    await post(alice, LIST, **{"X-Request-ID": "abc"})
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.getvalue().splitlines()]
    [line] = [line for line in lines if line["logger"] == "app.access"]
    assert line["message"] == f"POST {PATH} 200"
    assert (line["route"], line["request_id"]) == (PATH, "abc")
    assert line["user_id"] == alice.user_id
