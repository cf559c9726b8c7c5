"""Metrics for Prometheus at /metrics: requests, the pool of the database, rate limits."""

import secrets
import time

from fastapi import FastAPI, Request, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import RateLimited, Unauthorized
from app.http.middleware import route_of
from app.http.monitoring import METRICS_PATH
from app.state import AppState, get_state

METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
# The label of all other methods, and of all paths without a route: clients can send any number of them.
OTHER = "other"


class Metrics:
    """The metrics of one application."""

    def __init__(self, state: AppState) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "http_requests",
            "Requests that were answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.durations = Histogram(
            "http_request_duration_seconds",
            "Time until the last part of a response was sent.",
            ["method", "route"],
            registry=self.registry,
        )
        self.in_progress = Gauge(
            "http_requests_in_progress",
            "Requests that are being answered.",
            registry=self.registry,
        )
        self.rate_limited = Counter(
            "rate_limit_refusals",
            "Requests that were rejected because of a rate limit.",
            ["route"],
            registry=self.registry,
        )
        connections = Gauge(
            "database_pool_connections_in_use",
            "Connections of the pool that requests use.",
            registry=self.registry,
        )
        connections.set_function(lambda: state.database.connections_in_use)
        size = Gauge(
            "database_pool_size",
            "Connections that the pool can have.",
            registry=self.registry,
        )
        size.set(state.settings.database_pool_size)

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request that has been answered."""
        method = scope["method"] if scope["method"] in METHODS else OTHER
        route = route_of(scope) or OTHER
        self.requests.labels(method, route, status).inc()
        self.durations.labels(method, route).observe(seconds)
        if status == RateLimited.status:
            self.rate_limited.labels(route).inc()


class RequestMetrics:
    """Middleware that measures requests."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = time.perf_counter()
        self.metrics.in_progress.inc()
        try:
            await self.app(scope, receive, send_and_note)
        finally:
            self.metrics.in_progress.dec()
            self.metrics.observe(scope, status, time.perf_counter() - started)


def _check_token(request: Request) -> None:
    """Check the token of a request, if one is required.

    Raises:
        Unauthorized: it is missing or another.
    """
    required = get_state(request.app).settings.metrics_token
    if required is None:
        return
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized
    if not secrets.compare_digest(token.encode(), required.get_secret_value().encode()):
        raise Unauthorized(challenge='Bearer error="invalid_token"')


def install_metrics(app: FastAPI) -> None:
    """Measure the requests of the application, and serve its metrics."""
    metrics = Metrics(get_state(app))

    async def get_metrics(request: Request) -> Response:
        _check_token(request)
        content = generate_latest(metrics.registry)
        return Response(content, media_type=CONTENT_TYPE_LATEST)

    app.add_middleware(RequestMetrics, metrics=metrics)
    app.add_api_route(METRICS_PATH, get_metrics, include_in_schema=False)
