"""Error reports: one for each unexpected error, none for others, and without values."""

from collections.abc import AsyncIterator, Iterator

import pytest
import sentry_sdk
from fastapi import FastAPI
from httpx import AsyncClient
from pydantic import SecretStr

from app.errors import ServiceUnavailable
from tests.support.collector import Collector, open_collector
from tests.support.probe import ECHO, FAIL, FAIL_MIDWAY, SECRET, build_app, client_of

MARKER = "m4rker-8d1f"
BROKEN, UNAVAILABLE = "/probe/broken/{number}", "/probe/unavailable"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def broken(number: str, value: str) -> None:
    """Raise an exception that was caused by another."""
    try:
        int(value)
    except ValueError as error:
        raise KeyError(number, value) from error


async def unavailable() -> None:
    """Raise an expected error."""
    raise ServiceUnavailable


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A server that receives reports as Sentry does."""
    with open_collector() as collector:
        yield collector
        sentry_sdk.get_client().close()
        sentry_sdk.get_global_scope().set_client(None)


@pytest.fixture
async def probe(app: FastAPI, collector: Collector) -> AsyncIterator[AsyncClient]:
    """A client of an app that reports errors."""
    dsn = SecretStr(f"http://public@{collector.address}/1")
    other = build_app(app, sentry_dsn=dsn, sentry_environment="staging")
    other.add_api_route(BROKEN, broken)
    other.add_api_route(UNAVAILABLE, unavailable)
    async with client_of(other) as client:
        yield client


async def test_unexpected_errors_are_reported_once(
    probe: AsyncClient, collector: Collector
) -> None:
    headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    response = await probe.get("/probe/broken/seven", params={"value": MARKER}, headers=headers)
    assert response.status_code == 500
    await probe.get(FAIL_MIDWAY, headers={"X-Request-ID": "abc"})
    sentry_sdk.flush()
    first, second = collector.events
    assert first["transaction"] == f"GET {BROKEN}"
    assert first["tags"] == {"request_id": TRACE, "trace_id": TRACE}
    assert first["environment"] == "staging"
    cause, error = first["exception"]["values"]
    assert (cause["type"], error["type"]) == ("ValueError", "KeyError")
    assert error["stacktrace"]["frames"][-1]["function"] == "broken"
    assert second["transaction"] == f"GET {FAIL_MIDWAY}"
    assert second["tags"] == {"request_id": "abc"}


async def test_reports_have_no_values(probe: AsyncClient, collector: Collector) -> None:
    headers = {"Authorization": f"Bearer {MARKER}", "User-Agent": MARKER, "Cookie": f"a={MARKER}"}
    await probe.get("/probe/broken/seven", params={"value": MARKER}, headers=headers)
    await probe.request("GET", FAIL, json={"email": f"{MARKER}@example.com"}, headers=headers)
    sentry_sdk.flush()
    assert len(collector.events) == 2
    sent = b"".join(body for _, body in collector.received)
    assert MARKER.encode() not in sent
    # The source code around a line is a part of the report.
    assert f"'{SECRET}'".encode() not in sent
    for event in collector.events:
        assert event.keys().isdisjoint({"request", "user", "extra"})
        assert event["breadcrumbs"]["values"] == []
        for exception in event["exception"]["values"]:
            assert exception["value"] == ""
            assert not any("vars" in frame for frame in exception["stacktrace"]["frames"])


async def test_expected_errors_are_not_reported(probe: AsyncClient, collector: Collector) -> None:
    statuses = [
        (await probe.get("/nowhere")).status_code,
        (await probe.get(UNAVAILABLE)).status_code,
        (await probe.post(ECHO, json={"text": 1})).status_code,
    ]
    assert statuses == [404, 503, 422]
    sentry_sdk.flush()
    assert collector.events == []


async def test_reports_are_sent_before_the_app_stops(app: FastAPI, collector: Collector) -> None:
    dsn = SecretStr(f"http://public@{collector.address}/1")
    async with client_of(build_app(app, sentry_dsn=dsn)) as client:
        await client.get(FAIL)
    [event] = collector.events
    assert event["environment"] == "test"
