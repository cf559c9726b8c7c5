"""What happens to every request before a router sees it. Plain ASGI: each costs next to nothing."""

import logging
import re
import time
from http import HTTPStatus
from urllib.parse import quote
from uuid import uuid4

from fastapi import FastAPI, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import ApiError, BadRequest, PayloadTooLarge
from app.http.error_responses import error_response
from app.http.logs import request_id

MAX_BODY_BYTES = 1024 * 1024
REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
# Orchestrators ask for these by address.
HEALTH_PATHS = {"/health", "/ready"}

logger = logging.getLogger("app.access")


def is_health_check(scope: Scope) -> bool:
    """Tell whether a request is a probe, whichever path the app is served below."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return path.rstrip("/") in HEALTH_PATHS


class RequestContext:
    """Give each request an id, answer HEAD as GET without the body, and log the outcome."""

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
            # Quoted, so that no path can look like a line of its own.
            path = quote(scope["path"], errors="replace")
            duration = round((time.perf_counter() - started) * 1000, 2)
            extra = {"method": method, "path": path, "status": status, "duration_ms": duration}
            # Probes come every few seconds; of theirs, only failures are of interest.
            probed = status == HTTPStatus.OK and is_health_check(scope)
            level = logging.DEBUG if probed else logging.INFO
            logger.log(level, "%s %s %s", method, path, status, extra=extra)
            request_id.reset(token)


class UnexpectedErrors:
    """Answer what nobody else caught; the log has the trace, the client has none."""

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


class CrossOrigin(CORSMiddleware):
    """CORS: pages of named origins may send credentials; refusals have the format of this API."""

    @staticmethod
    def allow_explicit_origin(headers: MutableHeaders, origin: str) -> None:
        """Allow an origin by its name, which `*` is not."""
        CORSMiddleware.allow_explicit_origin(headers, origin)
        headers["Access-Control-Allow-Credentials"] = "true"

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer what a browser asks first."""
        response = super().preflight_response(request_headers)
        if response.status_code >= BadRequest.status:
            detail = bytes(response.body).decode()
            return error_response(BadRequest(detail, headers={"Vary": response.headers["Vary"]}))
        if not self.allow_all_origins:
            response.headers["Access-Control-Allow-Credentials"] = "true"
        return response


class AllowedHosts:
    """Refuse requests for hosts that are not ours (`*.example.com` allows subdomains)."""

    def __init__(self, app: ASGIApp, patterns: list[str]) -> None:
        self.app = app
        self.exact = {pattern.lower() for pattern in patterns if not pattern.startswith("*.")}
        self.suffixes = tuple(pattern[1:].lower() for pattern in patterns if pattern[:2] == "*.")

    def allows(self, scope: Scope) -> bool:
        """Compare the Host header, without its port, with the patterns."""
        name = re.sub(r":\d*$", "", Headers(scope=scope).get("host", "")).lower()
        return name in self.exact or name.endswith(self.suffixes) or is_health_check(scope)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self.allows(scope):
            await self.app(scope, receive, send)
        else:
            error = BadRequest("This host is not served here.")
            await error_response(error)(scope, receive, send)


class DeclaredBodyLimit:
    """Refuse a body that says itself that it is too large, before reading it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            length = Headers(scope=scope).get("content-length", "")
            if length.isdecimal() and int(length[:20]) > MAX_BODY_BYTES:
                await error_response(PayloadTooLarge())(scope, receive, send)
                return
        await self.app(scope, receive, send)


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
    """Wrap the app; the last one added is the first to see a request."""
    app.add_middleware(TrailingSlash)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY_BYTES)
    app.add_middleware(DeclaredBodyLimit)
    if "*" not in hosts:
        app.add_middleware(AllowedHosts, patterns=hosts)
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(
        CrossOrigin,
        allow_origins=origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Location", "Retry-After", "WWW-Authenticate", "X-Request-ID"],
    )
    app.add_middleware(RequestContext)
