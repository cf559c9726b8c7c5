"""An agent in a process of its own, in the environment of the rendered projects.

It connects with the client of the SDK, prints the protocol and the tools as a line of JSON, then
calls the tool in each line that it reads, and prints the result.
"""

import asyncio
import json
import sys
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


def say(value: Any) -> None:  # noqa: ANN401
    """Print a line of JSON."""
    print(json.dumps(value), flush=True)


async def main(url: str, mode: str, token: str) -> None:
    """Connect, and call tools until there are no more lines."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        tools = (await client.list_tools()).tools
        described = {tool.name: tool.model_dump(by_alias=True, mode="json") for tool in tools}
        say({"protocol": client.protocol_version, "tools": described})
        for line in sys.stdin:
            name, arguments = json.loads(line)
            result = await client.call_tool(name, arguments)
            say({"failed": result.is_error, "content": json.loads(result.content[0].text)})


asyncio.run(main(*sys.argv[1:]))
