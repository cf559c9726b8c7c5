"""Traces: the spans of requests and statements, as an OTLP endpoint receives them."""

import io
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from opentelemetry.trace import SpanKind
from pydantic import HttpUrl
from sqlalchemy import text

from app import API_PREFIX, TITLE
from app.errors import ServiceUnavailable
from app.state import get_state
from tests.support.collector import Collector, Sent, open_collector
from tests.support.probe import ECHO, FAIL, FAIL_MIDWAY, SECRET, build_app, client_of, websocket
from tests.support.resource import Resource
from tests.support.rows import full_body
from tests.support.samples import RESOURCES
from tests.support.users import UserClient

RESOURCE: Resource = RESOURCES[0]
TEMPLATE = API_PREFIX + RESOURCE.path
# The kinds of OTLP have other numbers.
SERVER, CLIENT = SpanKind.SERVER.value + 1, SpanKind.CLIENT.value + 1
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
STATEMENT, TRANSACTION, UNAVAILABLE = "/probe/statement", "/probe/transaction", "/probe/unavailable"

OpenTraced = Callable[..., AbstractAsyncContextManager[AsyncClient]]


@pytest.fixture
def collector() -> Iterator[Collector]:
    """An OTLP endpoint."""
    with open_collector() as collector:
        yield collector


@pytest.fixture
def open_traced(app: FastAPI, collector: Collector) -> OpenTraced:
    """Yield a client of an app with traces, all of which have been sent afterwards."""

    @asynccontextmanager
    async def opened(**changes: Any) -> AsyncIterator[AsyncClient]:
        endpoint = HttpUrl(f"http://{collector.address}")
        traced = build_app(app, otel_exporter_otlp_endpoint=endpoint, **changes)
        database = get_state(traced).database

        async def statement(value: str) -> None:
            await database.execute(text("SELECT CAST(:value AS TEXT)"), {"value": value})

        async def transaction(value: str) -> None:
            async with database.transaction() as connection:
                await connection.execute(text("SELECT CAST(:value AS TEXT)"), {"value": value})
                await connection.execute(text("SELECT 1 FROM nowhere"))

        async def unavailable() -> None:
            raise ServiceUnavailable

        for path, route in (
            (STATEMENT, statement),
            (TRANSACTION, transaction),
            (UNAVAILABLE, unavailable),
        ):
            traced.add_api_route(path, route)
        async with client_of(traced) as client:
            yield client

    return opened


def signed_in(user: UserClient, client: AsyncClient) -> UserClient:
    """Return the user with a client of another app."""
    client.headers["Authorization"] = user.http.headers["Authorization"]
    return UserClient(user.user_id, client)


def requests(collector: Collector) -> list[Sent]:
    """Return the spans of requests."""
    return [span for span in collector.spans if span.kind == SERVER]


def statements(collector: Collector, request: Sent) -> list[Sent]:
    """Return the spans below that of a request, which must be statements."""
    found = [span for span in collector.spans if span.parent == request.span_id]
    assert all(span.kind == CLIENT and span.trace_id == request.trace_id for span in found)
    return found


async def test_spans_of_a_request_and_its_statements(
    alice: UserClient, app: FastAPI, open_traced: OpenTraced, collector: Collector
) -> None:
    async with open_traced() as client:
        user = signed_in(alice, client)
        body = await full_body(user, RESOURCE)
        made = await user.post(RESOURCE.path, json=body)
        await user.get(RESOURCE.row(made.json()))
    created, read = requests(collector)[-2:]
    assert created.name == f"POST {TEMPLATE}"
    assert read.name.startswith(f"GET {TEMPLATE}/{{")
    assert read.attributes["http.route"] == read.name.removeprefix("GET ")
    assert created.attributes["http.response.status_code"] == 201
    assert created.parent == ""
    assert not created.failed

    engine = get_state(app).database.engine
    for span in (*statements(collector, created), *statements(collector, read)):
        assert span.attributes["db.system.name"] == engine.dialect.name
        assert span.attributes["db.namespace"] == engine.url.database
        assert span.name == span.attributes["db.query.summary"]
        assert span.name.startswith(span.attributes["db.operation.name"])
    [insert] = [span for span in statements(collector, created) if span.name.startswith("INSERT")]
    assert insert.attributes["db.query.text"].startswith(f"{insert.name.replace(' ', ' INTO ')} (")
    assert any(span.name.startswith("SELECT ") for span in statements(collector, read))
    assert len({span.trace_id for span in requests(collector)}) == len(requests(collector))


async def test_statements_with_and_without_a_transaction(
    open_traced: OpenTraced, collector: Collector
) -> None:
    async with open_traced() as client:
        await client.get(STATEMENT, params={"value": "x"})
        await client.get(TRANSACTION, params={"value": "x"})
    single, transaction = requests(collector)
    [span] = statements(collector, single)
    assert span.name == "SELECT"
    names = [span.name for span in statements(collector, transaction)]
    assert names == ["BEGIN", "SELECT", "SELECT nowhere", "ROLLBACK"]
    [failed] = [span for span in statements(collector, transaction) if span.failed]
    assert failed.name == "SELECT nowhere"
    assert failed.attributes["error.type"] in {
        "asyncpg.exceptions.UndefinedTableError",
        "sqlite3.OperationalError",
    }
    assert failed.attributes["db.response.status_code"] in {"42P01", "SQLITE_ERROR"}
    assert failed.events == []


async def test_traces_are_continued_and_in_the_log(
    open_traced: OpenTraced, collector: Collector, configure: Callable[..., io.StringIO]
) -> None:
    async with open_traced() as client:
        log = configure("json")
        await client.get("/", headers={"traceparent": TRACEPARENT})
        first = await client.get("/")
        second = await client.get("/", headers={"X-Request-ID": "abc"})
    records = [json.loads(line) for line in log.getvalue().splitlines()]
    logged = [record["trace_id"] for record in records if record["logger"] == "app.access"]
    spans = requests(collector)
    assert logged == [span.trace_id for span in spans]
    assert (spans[0].trace_id, spans[0].parent) == (TRACE, PARENT)
    # The id of a request leads to its trace.
    assert first.headers["X-Request-ID"] == spans[1].trace_id
    assert second.headers["X-Request-ID"] == "abc"


async def test_requests_of_the_platform_are_not_traced(
    open_traced: OpenTraced, collector: Collector
) -> None:
    async with open_traced(metrics_enabled=True) as client:
        for path in ("/health", "/ready", "/ready/", "/metrics"):
            assert (await client.get(path)).status_code == 200
    assert collector.received == []


async def test_errors(open_traced: OpenTraced, collector: Collector) -> None:
    async with open_traced() as client:
        for path in ("/nowhere", UNAVAILABLE, FAIL, FAIL_MIDWAY):
            await client.get(path)
        await client.post(ECHO, json={"text": 1})
    unknown, unavailable, failed, midway, invalid = requests(collector)
    assert unknown.name == "GET"
    assert not unknown.failed
    assert not invalid.failed
    assert unavailable.failed
    assert unavailable.events == []
    for span in (failed, midway):
        assert span.failed
        assert span.events == [{"name": "exception", "exception.type": "builtins.RuntimeError"}]


async def test_spans_have_no_values(
    alice: UserClient, open_traced: OpenTraced, collector: Collector
) -> None:
    marker = "m4rker-8d1f"
    async with open_traced() as client:
        await client.get(STATEMENT, params={"value": marker})
        await client.get(TRANSACTION, params={"value": marker})
        await client.post(ECHO, json={"text": f"{marker}@example.com"})
        await client.post(ECHO, json={marker: marker}, headers={"Cookie": f"session={marker}"})
        await client.get("/nowhere", params={marker: marker})
        for headers in ({"Authorization": f"Bearer {marker}"}, {"User-Agent": marker}):
            await client.get(alice.url(RESOURCE.path), headers=headers)
        await signed_in(alice, client).get(RESOURCE.path, params={"sort": marker})
        await client.get(FAIL)
    assert len(requests(collector)) == 9
    sent = b"".join(body for _, body in collector.received)
    assert marker.encode() not in sent
    assert SECRET.encode() not in sent
    assert alice.http.headers["Authorization"].removeprefix("Bearer ").encode() not in sent
    for query in ("value=", "sort="):
        assert query.encode() not in sent


async def test_long_paths_are_cut(open_traced: OpenTraced, collector: Collector) -> None:
    async with open_traced() as client:
        await client.get(f"/{'x' * 10_000}")
    [span] = requests(collector)
    assert len(span.attributes["url.path"]) == 4096


async def test_websockets(app: FastAPI, collector: Collector) -> None:
    endpoint = HttpUrl(f"http://{collector.address}")
    traced = build_app(app, otel_exporter_otlp_endpoint=endpoint)
    async with client_of(traced):
        assert await websocket(traced, "test")
    [span] = requests(collector)
    assert span.name == "WS"


async def test_sampler(
    open_traced: OpenTraced, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    async with open_traced() as client:
        await client.get(STATEMENT, params={"value": "x"})
    assert collector.received == []


async def test_name_of_the_service(
    open_traced: OpenTraced, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (TITLE, "shop"):
        async with open_traced() as client:
            await client.get("/")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
        assert collector.spans[-1].resource["service.name"] == name


async def test_an_endpoint_that_does_not_answer_delays_the_end_little(
    open_traced: OpenTraced, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.http.tracing.FLUSH_SECONDS", 0.05)
    collector.answers.clear()
    async with open_traced() as client:
        assert (await client.get("/")).status_code == 200
    # It has not answered until now.
    assert not collector.answers.is_set()
