"""Middleware: request ids, the access log, CORS, allowed hosts, body size, trailing slashes."""

import logging
import re
import time
from http import HTTPStatus
from urllib.parse import quote
from uuid import uuid4

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import ApiError, BadRequest, PayloadTooLarge
from app.http.error_responses import error_response
from app.http.logs import request_id

MAX_BODY_BYTES = 1024 * 1024
REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
HEALTH_PATHS = {"/health", "/ready"}
# The plain-text errors of Starlette's middleware, by the beginning of the body.
PLAIN_TEXT_ERRORS: dict[bytes, type[ApiError]] = {
    b"Invalid host header": BadRequest,
    b"Disallowed CORS ": BadRequest,
    b"Content Too Large": PayloadTooLarge,
}

logger = logging.getLogger("app.access")


def is_health_check(scope: Scope) -> bool:
    """Whether a request is a health check, also where the app is served below a path."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return path.rstrip("/") in HEALTH_PATHS


class RequestContext:
    """Give each request an id, answer HEAD like GET without the body, and write the access log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = Headers(scope=scope).get("x-request-id", "")
        token = request_id.set(sent if REQUEST_ID.fullmatch(sent) else uuid4().hex)
        started = time.perf_counter()
        status = 0
        method = scope["method"]

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id.get()
                await send(message)
                if method == "HEAD":
                    await send({"type": "http.response.body"})
            elif method != "HEAD":
                await send(message)

        try:
            inner = {**scope, "method": "GET"} if method == "HEAD" else scope
            await self.app(inner, receive, send_with_id)
        finally:
            # Quoted, so that a path cannot forge a line of the log.
            path = quote(scope["path"], errors="replace")
            duration = round((time.perf_counter() - started) * 1000, 2)
            extra = {"method": method, "path": path, "status": status, "duration_ms": duration}
            # Health checks run every few seconds: only those that fail are logged at INFO.
            passed = status == HTTPStatus.OK and is_health_check(scope)
            level = logging.DEBUG if passed else logging.INFO
            logger.log(level, "%s %s %s", method, path, status, extra=extra)
            request_id.reset(token)


class PlainTextErrors:
    """Give the plain-text errors of Starlette's middleware the error format of this API."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message | None = None

        async def send_formatted(message: Message) -> None:
            nonlocal start
            if message["type"].endswith("http.response.start"):
                media_type = Headers(raw=message["headers"]).get("content-type", "")
                if message["status"] in {400, 413} and media_type.startswith("text/plain"):
                    # The body tells whether the response is one of these errors.
                    start = message
                    return
            held, start = start, None
            if held is None:
                await send(message)
                return
            body = message.get("body", b"")
            for beginning, error in PLAIN_TEXT_ERRORS.items():
                if body.startswith(beginning):
                    headers = Headers(raw=held["headers"])
                    kept = {name: headers[name] for name in headers if name[:8] != "content-"}
                    detail = f"{body.decode()}."
                    await error_response(error(detail, headers=kept))(scope, receive, send)
                    return
            await send(held)
            await send(message)

        await self.app(scope, receive, send_formatted)


class UnexpectedErrors:
    """Turn an unhandled exception into a 500; the traceback goes to the log only."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except Exception:
            logger.exception("unexpected error")
            if started:
                raise
            await error_response(ApiError())(scope, receive, send)


class AllowedHosts(TrustedHostMiddleware):
    """Check the Host header; health checks pass, which orchestrators send to an IP address."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        passes = scope["type"] == "http" and is_health_check(scope)
        await (self.app if passes else super().__call__)(scope, receive, send)


class TrailingSlash:
    """Let a path with a trailing slash reach the route without one, with no redirect."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/"):
            root = f"{scope.get('root_path', '')}/"
            scope = {**scope, "path": max(scope["path"].rstrip("/"), root, key=len)}
        await self.app(scope, receive, send)


def install_middleware(app: FastAPI, origins: list[str], hosts: list[str]) -> None:
    """Add the middleware; the one that is added last sees a request first."""
    app.add_middleware(TrailingSlash)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY_BYTES)
    app.add_middleware(AllowedHosts, allowed_hosts=hosts, www_redirect=False)
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["*"],
        allow_headers=["*"],
        # Cookies and other credentials are for origins that are named.
        allow_credentials="*" not in origins,
        expose_headers=["Location", "Retry-After", "WWW-Authenticate", "X-Request-ID"],
    )
    app.add_middleware(PlainTextErrors)
    app.add_middleware(RequestContext)
