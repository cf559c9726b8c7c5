"""The MCP server: lists the tools, and calls them in the scope of the user who sends the request."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from mcp import MCPError, types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from pydantic_core import to_json

from app import DESCRIPTION, TITLE
from app.errors import ApiError, ValidationFailed
from app.http.error_handlers import field_errors
from app.mcp.tools import all_tools
from app.state import get_state

logger = logging.getLogger(__name__)

Context = ServerRequestContext[Any, Request]


def _content(value: Any) -> list[types.ContentBlock]:
    """Return JSON as text, for clients that do not read structured content."""
    return [types.TextContent(type="text", text=to_json(value).decode())]


def _failure(error: ApiError) -> types.CallToolResult:
    """Return the result of a call that failed: an error with the code and messages of the API."""
    content = {"code": error.code, "message": str(error)}
    fields = {"errors": error.errors} if error.errors else {}
    return types.CallToolResult(content=_content({**content, **fields}), is_error=True)


def _report(error: Exception, request: Request) -> types.CallToolResult:
    """Log and report an unexpected error, and return a failure that does not describe it."""
    logger.error("unexpected error", exc_info=error)
    for reporter in get_state(request.app).reporters:
        reporter.report(error, request.scope)
    return _failure(ApiError())


def create_server(version: str) -> Server[Any]:
    """Create a server with the tools of all resources."""
    tools = all_tools()

    async def list_tools(
        _context: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[tool.definition for tool in tools.values()])

    async def call_tool(
        context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        tool, request = tools.get(params.name), context.request
        if tool is None or request is None:
            raise MCPError(types.INVALID_PARAMS, "Unknown tool.")
        try:
            found = await tool.call(request.state.scope, params.arguments or {})
        except RequestValidationError as error:
            return _failure(ValidationFailed(errors=field_errors(error)))
        except ApiError as error:
            if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                logger.error("%s %r", error, error.__cause__)  # noqa: TRY400
            return _failure(error)
        except Exception as error:  # noqa: BLE001
            return _report(error, request)
        return types.CallToolResult(content=_content(found), structured_content=found)

    def input_schema(name: str) -> dict[str, Any] | None:
        return tools[name].definition.input_schema if name in tools else None

    return Server(
        TITLE,
        version=version,
        instructions=DESCRIPTION,
        get_tool_input_schema=input_schema,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
