"""What happens to every request before a router sees it. Plain ASGI: each costs next to nothing."""

import logging
import re
import time
from uuid import uuid4

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import ApiError, HostNotAllowed, PayloadTooLarge, error_response
from app.logs import request_id
from app.settings import Settings

MAX_BODY_BYTES = 4 * 1024 * 1024
REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")

logger = logging.getLogger("app.access")


class RequestContext:
    """Give each request an id, log its outcome, and answer what nobody else caught."""

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

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id.get()
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            logger.exception("unhandled error")
            if status:
                raise
            await error_response(ApiError())(scope, receive, send_with_id)
        finally:
            logger.info(
                "%s %s %s",
                scope["method"],
                scope["path"].encode(errors="backslashreplace").decode(),
                status,
                extra={
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "duration_ms": round((time.perf_counter() - started) * 1000, 2),
                },
            )
            request_id.reset(token)


class AllowedHosts:
    """Refuse requests for hosts that are not ours (`*.example.com` allows subdomains)."""

    def __init__(self, app: ASGIApp, patterns: list[str]) -> None:
        self.app = app
        self.exact = {pattern.lower() for pattern in patterns if not pattern.startswith("*.")}
        self.suffixes = tuple(pattern[1:].lower() for pattern in patterns if pattern[:2] == "*.")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = Headers(scope=scope).get("host", "").rsplit(":", 1)[0].lower()
            if host not in self.exact and not host.endswith(self.suffixes):
                await error_response(HostNotAllowed())(scope, receive, send)
                return
        await self.app(scope, receive, send)


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
        if scope["type"] == "http" and len(scope["path"]) > 1 and scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        await self.app(scope, receive, send)


def install_middleware(app: FastAPI, settings: Settings) -> None:
    """Wrap the app; the last one added is the first to see a request."""
    app.add_middleware(TrailingSlash)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY_BYTES)
    app.add_middleware(DeclaredBodyLimit)
    if "*" not in settings.allowed_hosts:
        app.add_middleware(AllowedHosts, patterns=settings.allowed_hosts)
    app.add_middleware(RequestContext)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Location", "X-Request-ID"],
    )
