"""Middleware: request ids, the access log, CORS, allowed hosts, limits of size, trailing slashes."""

import logging
import re
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote
from uuid import uuid4

from fastapi import FastAPI
from opentelemetry.trace import format_trace_id, get_current_span
from starlette.datastructures import Headers
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import ApiError, BadRequest, HeadersTooLarge, PayloadTooLarge, UrlTooLong
from app.http.error_responses import error_response
from app.http.logs import request_id, trace_id
from app.http.monitoring import is_monitoring
from app.http.security_headers import security_headers
from app.state import get_state

MAX_BODY_BYTES = 1024 * 1024
MAX_HEADER_BYTES = 64 * 1024
MAX_URL_BYTES = 48 * 1024
REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")
REQUEST_ID_HEADER = b"x-request-id"
# W3C Trace Context: version, trace id, parent id, flags. Later versions than 00 may have more parts.
TRACEPARENT = re.compile(
    rb"(?!ff|00.{53}.)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?"
)
# The plain-text errors of Starlette's middleware, by the beginning of the body.
PLAIN_TEXT_ERRORS: dict[bytes, type[ApiError]] = {
    b"Invalid host header": BadRequest,
    b"Disallowed CORS ": BadRequest,
    b"Content Too Large": PayloadTooLarge,
}

logger = logging.getLogger("app.access")


class ErrorReporter(Protocol):
    """Sends unexpected errors to another service."""

    def report(self, error: Exception, scope: Scope) -> None:
        """Report the error of a request."""

    def close(self) -> None:
        """Send the last reports, before the process ends."""


def route_of(scope: Scope) -> str | None:
    """Return the path template of a request that has been routed, such as `/api/items/{id}`.

    It is None if no route has the path.
    """
    # FastAPI has the prefixes of an included router only in its own part of the scope.
    route = scope["fastapi"].get("effective_route_context") or scope.get("route")
    template: str | None = getattr(route, "path_format", None)
    return template


def _trace(scope: Scope) -> str | None:
    """Return the id of the trace of a request, from its `traceparent` header or from its span."""
    sent = [value for name, value in scope["headers"] if name == b"traceparent"]
    if len(sent) == 1 and (found := TRACEPARENT.fullmatch(sent[0])):
        return found[1].decode()
    # FastAPI adds this only to requests that it traces.
    span = get_current_span().get_span_context() if scope.get("fastapi.telemetry") else None
    return format_trace_id(span.trace_id) if span and span.is_valid else None


def _ids(scope: Scope) -> tuple[str, str | None]:
    """Return the id of a request, and that of its trace if it has one."""
    sent = [value for name, value in scope["headers"] if name == REQUEST_ID_HEADER]
    trace = _trace(scope)
    if sent and REQUEST_ID.fullmatch(sent[0]):
        return sent[0].decode(), trace
    return trace or uuid4().hex, trace


class _Sender:
    """Sends a response: with the headers of all responses, in the error format, to HEAD without a body."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, https_only: bool) -> None:
        self.status = 0
        self._https_only = https_only
        self._scope = scope
        self._receive = receive
        self._send = send
        # The start of a response that may be one of PLAIN_TEXT_ERRORS, as its body will tell.
        self._held: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            present = dict(message["headers"])
            message["headers"] = [
                *message["headers"],
                *security_headers(present, https_only=self._https_only),
            ]
            if REQUEST_ID_HEADER not in present:
                message["headers"].append((REQUEST_ID_HEADER, request_id.get().encode()))
            plain = present.get(b"content-type", b"").startswith(b"text/plain")
            if plain and message["status"] in {400, 413}:
                self._held = message
            else:
                await self._start(message)
            return
        held, self._held = self._held, None
        if held is not None:
            if error := _read_plain_text_error(held, message.get("body", b"")):
                await error_response(error)(self._scope, self._receive, self)
                return
            await self._start(held)
        if self._scope["method"] != "HEAD":
            await self._send(message)

    async def _start(self, message: Message) -> None:
        self.status = message["status"]
        await self._send(message)
        if self._scope["method"] == "HEAD":
            await self._send({"type": "http.response.body"})


def _read_plain_text_error(start: Message, body: bytes) -> ApiError | None:
    """Return the error of Starlette's middleware that a response in plain text is, if any."""
    for beginning, error in PLAIN_TEXT_ERRORS.items():
        if body.startswith(beginning):
            headers = Headers(raw=start["headers"])
            kept = {name: headers[name] for name in headers if not name.startswith("content-")}
            return error(f"{body.decode()}.", headers=kept)
    return None


class RequestContext:
    """Give each request an id and a line in the access log, and reject what is too large.

    HEAD reaches the route of GET, and a path with a trailing slash the route without one, with no
    redirect. `https_only` tells browsers that come by HTTPS to use nothing else.
    """

    def __init__(self, app: ASGIApp, *, https_only: bool) -> None:
        self.app = app
        self.https_only = https_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Copies of the scope share these: routing and authentication add to them.
        scope.setdefault("fastapi", {})
        scope.setdefault("state", {})
        given, trace = _ids(scope)
        token = request_id.set(given)
        trace_token = trace_id.set(trace)
        started = time.perf_counter()
        https_only = self.https_only and scope.get("scheme") == "https"
        sender = _Sender(scope, receive, send, https_only=https_only)
        routed = _routed(scope)
        try:
            if error := _oversized(scope):
                await error_response(error)(scope, receive, sender)
            else:
                await self.app(routed, receive, sender)
        finally:
            scope["route"] = routed.get("route")
            _log(scope, sender.status, time.perf_counter() - started)
            trace_id.reset(trace_token)
            request_id.reset(token)


def _oversized(scope: Scope) -> ApiError | None:
    """Return the error of a request whose URL or headers are too large."""
    if len(scope["path"]) + len(scope["query_string"]) > MAX_URL_BYTES:
        return UrlTooLong()
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
        return HeadersTooLarge()
    return None


def _routed(scope: Scope) -> Scope:
    """Return the request that is routed."""
    if scope["method"] == "HEAD":
        scope = {**scope, "method": "GET"}
    if scope["path"].endswith("/"):
        root = f"{scope.get('root_path', '')}/"
        scope = {**scope, "path": max(scope["path"].rstrip("/"), root, key=len)}
    return scope


def _log(scope: Scope, status: int, seconds: float) -> None:
    # Of the requests of the platform, only those that fail are logged at INFO.
    passed = status == HTTPStatus.OK and is_monitoring(scope)
    level = logging.DEBUG if passed else logging.INFO
    if logger.isEnabledFor(level):
        # Quoted, so that a path cannot forge a line of the log.
        method, path = scope["method"], quote(scope["path"], errors="replace")
        duration = round(seconds * 1000, 2)
        extra: dict[str, Any] = {
            "method": method,
            "path": path,
            "status": status,
            "duration_ms": duration,
        }
        if route := route_of(scope):
            extra["route"] = route
        # A token can be genuine although its session has ended.
        caller = scope["state"].get("caller")
        if caller is not None and status != HTTPStatus.UNAUTHORIZED:
            extra["user_id"] = str(caller.user_id)
        logger.log(level, "%s %s %s", method, path, status, extra=extra)


class UnexpectedErrors:
    """Turn an unhandled exception into a 500; the traceback goes to the log and the reporters only."""

    def __init__(self, app: ASGIApp, reporters: Sequence[ErrorReporter]) -> None:
        self.app = app
        self.reporters = reporters

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
        except Exception as error:
            logger.exception("unexpected error")
            for reporter in self.reporters:
                reporter.report(error, scope)
            if started:
                raise
            await error_response(ApiError())(scope, receive, send)


class AllowedHosts(TrustedHostMiddleware):
    """Check the Host header; requests of the platform pass, which it sends to an IP address."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        passes = scope["type"] == "http" and is_monitoring(scope)
        await (self.app if passes else super().__call__)(scope, receive, send)


def install_middleware(app: FastAPI) -> None:
    """Add the middleware; the one that is added last sees a request first."""
    state = get_state(app)
    origins, hosts = state.settings.cors_origins, state.settings.allowed_hosts
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY_BYTES)
    if "*" not in hosts:
        app.add_middleware(AllowedHosts, allowed_hosts=hosts, www_redirect=False)
    app.add_middleware(UnexpectedErrors, reporters=state.reporters)
    exposed = ["ETag", "Location", "Retry-After", "WWW-Authenticate", "X-Request-ID"]
    if state.request_limits is not None:
        exposed += ["RateLimit", "RateLimit-Policy"]
        app.add_middleware(state.request_limits.middleware)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["*"],
        allow_headers=["*"],
        # Cookies and other credentials are for origins that are named.
        allow_credentials="*" not in origins,
        expose_headers=exposed,
    )
    app.add_middleware(RequestContext, https_only=state.settings.environment == "production")
