"""The HTTP routes of the MCP server: messages, and the metadata of the resource that tokens are for.

The transport is Streamable HTTP without sessions: each message is a request of its own with an access
token, which any process can answer, in JSON.
"""

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.types.jsonrpc import jsonrpc_message_adapter
from pydantic import ValidationError
from pydantic_core import from_json
from starlette.types import Message, Receive, Scope, Send

from app import API_PREFIX, TITLE
from app.dependencies import ScopeDep
from app.errors import BadRequest, Forbidden, Unauthorized
from app.mcp.authorization_servers import authorization_servers
from app.mcp.server import create_server
from app.state import get_state

PATH = f"{API_PREFIX}/mcp"
METADATA_PATH = f"/.well-known/oauth-protected-resource{PATH}"


def _url(request: Request, path: str) -> str:
    """Return the URL of a path of this app, as the client sees it."""
    return f"{request.base_url}{path.removeprefix('/')}"


def _check_origin(request: Request) -> None:
    """Reject web pages that may not call the API: also those that pretend to be on its host.

    Raises:
        Forbidden: the page is of another origin.
    """
    origin = request.headers.get("Origin")
    allowed = get_state(request.app).settings.cors_origins
    if origin is not None and origin not in allowed and "*" not in allowed:
        raise Forbidden("This origin is not one of CORS_ORIGINS.")


def _check_message(body: bytes) -> None:
    """Reject what is not a message.

    Raises:
        BadRequest: it is not JSON, or not JSON-RPC.
    """
    try:
        jsonrpc_message_adapter.validate_python(from_json(body))
    except (ValueError, ValidationError) as error:
        raise BadRequest("The body is not a JSON-RPC message.") from error


class _McpRoute(APIRoute):
    """A route whose refusals of tokens name the metadata of the resource (RFC 9728, section 5.1)."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route."""
        handle = super().get_route_handler()

        async def handle_message(request: Request) -> Response:
            _check_origin(request)
            try:
                return await handle(request)
            except Unauthorized as error:
                challenge = (error.headers or {})["WWW-Authenticate"]
                comma = "," if " " in challenge else ""
                metadata = f'resource_metadata="{_url(request, METADATA_PATH)}"'
                detail = str(error)
                raise Unauthorized(detail, challenge=f"{challenge}{comma} {metadata}") from error

        return handle_message


class _Answer(Response):
    """The response of the MCP server to a message that has been read."""

    def __init__(self, sessions: StreamableHTTPSessionManager, message: bytes) -> None:
        super().__init__()
        self.sessions = sessions
        self.message = message

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the message on, and then what follows: that the client has disconnected."""
        unread = [self.message]

        async def receive_again() -> Message:
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            return await receive()

        await self.sessions.handle_request(scope, receive_again, send)


def install_mcp(app: FastAPI) -> None:
    """Serve the tools of the app."""
    # It logs the end of each request at INFO.
    logging.getLogger("mcp").setLevel(logging.WARNING)
    sessions = StreamableHTTPSessionManager(
        create_server(app.version), json_response=True, stateless=True
    )
    router = APIRouter(route_class=_McpRoute, lifespan=lambda _app: sessions.run())

    async def answer_message(scope: ScopeDep, request: Request) -> Response:
        # A token can be genuine although its session has ended.
        await scope.caller.check(scope.run)
        message = await request.body()
        _check_message(message)
        request.state.scope = scope
        return _Answer(sessions, message)

    async def get_metadata(request: Request) -> dict[str, Any]:
        metadata = {
            "resource": _url(request, PATH),
            "resource_name": TITLE,
            "bearer_methods_supported": ["header"],
        }
        servers = authorization_servers(get_state(request.app).settings)
        return metadata | ({"authorization_servers": servers} if servers else {})

    router.add_api_route(PATH, answer_message, methods=["POST"], include_in_schema=False)
    app.include_router(router)
    app.add_api_route(METADATA_PATH, get_metadata, include_in_schema=False)
