"""Agents: clients of the official SDK, which call tools with the token of a user."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from fastapi import FastAPI
from httpx import Response
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent, Tool

from app.mcp.routes import PATH
from tests.support.resource import Resource
from tests.support.users import UserClient

# The protocol with an `initialize` handshake, and the newer one without.
PROTOCOLS = ["legacy", "2026-07-28"]
ACCEPTED = {"Accept": "application/json, text/event-stream"}


def message(method: str, **params: Any) -> dict[str, Any]:
    """Return a JSON-RPC request."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


async def post(user: UserClient, content: Any, **headers: str) -> Response:
    """Send a message without the SDK."""
    return await user.http.post(PATH, json=content, headers=ACCEPTED | headers)


@dataclass(frozen=True)
class Agent:
    """A connected client."""

    client: Client

    async def tools(self) -> dict[str, Tool]:
        """Return the tools by their names."""
        return {tool.name: tool for tool in (await self.client.list_tools()).tools}

    async def result(self, tool: str, /, **arguments: Any) -> tuple[CallToolResult, Any]:
        """Call a tool; return the result, and the JSON in its text."""
        result = await self.client.call_tool(tool, arguments)
        assert isinstance(result, CallToolResult)
        [content] = result.content
        assert isinstance(content, TextContent)
        return result, json.loads(content.text)

    async def call(self, tool: str, /, **arguments: Any) -> Any:
        """Call a tool; the client compares what it returns with the schema of its output."""
        result, text = await self.result(tool, **arguments)
        assert not result.is_error, text
        assert result.structured_content == text
        return text

    async def fail(self, tool: str, code: str, /, **arguments: Any) -> dict[str, str]:
        """Call a tool, which fails with a code; return its messages by field."""
        result, text = await self.result(tool, **arguments)
        assert result.is_error, text
        assert result.structured_content is None
        assert text["code"] == code
        assert text["message"]
        errors: dict[str, str] = text.get("errors", {})
        return errors


@asynccontextmanager
async def agent_of(app: FastAPI, user: UserClient, mode: str = "auto") -> AsyncIterator[Agent]:
    """Yield an agent with the token of a user."""
    transport = httpx2.ASGITransport(app)
    headers = {"Authorization": user.http.headers["Authorization"]}
    async with httpx2.AsyncClient(transport=transport, headers=headers) as http:
        streams = streamable_http_client(f"http://test{PATH}", http_client=http)
        async with Client(streams, mode=mode) as client:
            yield Agent(client)


def tool_names(resource: Resource) -> set[str]:
    """Return the names of the tools that a resource has."""
    name, plural = resource.name, resource.path.rpartition("/")[2].replace("-", "_")
    optional = {"complete": f"complete_{name}", "search": f"search_{plural}"}
    optional["stats"] = f"{name}_stats"
    return {
        f"list_{plural}",
        *(f"{verb}_{name}" for verb in ("get", "create", "update", "delete")),
        *(tool for operation, tool in optional.items() if operation in resource.operations),
    }
