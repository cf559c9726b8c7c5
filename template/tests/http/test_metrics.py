"""Metrics: what is measured, who may read it, and that nothing is measured unless it is enabled."""

import io
from collections.abc import AsyncIterator, Callable

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from app.errors import RateLimited
from app.http.middleware import MAX_HEADER_BYTES
from app.state import get_state
from tests.support.error_shape import error_of
from tests.support.probe import (
    BY_NUMBER,
    FAIL,
    FAIL_MIDWAY,
    build_app,
    client_of,
    open_client,
    websocket,
)

METRICS = "/metrics"
TOKEN = "5d1d5b4e-scrape"
LIMITED = "/probe/limited"


async def limited() -> None:
    """Reject the request because of a rate limit."""
    raise RateLimited(1)


@pytest.fixture
def measured(app: FastAPI) -> FastAPI:
    """An app with metrics, which require no token."""
    other = build_app(app, metrics_enabled=True)
    other.add_api_route(LIMITED, limited)
    return other


@pytest.fixture
async def probe(measured: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client of the app with metrics."""
    async with client_of(measured) as client:
        yield client


async def read(client: AsyncClient, name: str) -> dict[tuple[str, ...], float]:
    """Return the samples of a metric by the values of their labels."""
    response = await client.get(METRICS)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    return {
        tuple(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
        if sample.name == name
    }


async def test_requests(probe: AsyncClient, app: FastAPI) -> None:
    documented = app.openapi()["paths"].items()
    secured = next(path for path, item in documented if "security" in item.get("get", {}))
    assert await read(probe, "http_requests_total") == {}
    for method, path in (
        ("GET", "/health"),
        ("GET", "/health/"),
        ("HEAD", "/health"),
        ("POST", "/health"),
        ("GET", secured.replace("{user_id}", "1")),
        ("DELETE", "/probe/7"),
        ("DELETE", "/probe/8"),
        ("DELETE", "/probe/seven"),
        ("GET", FAIL),
        ("GET", FAIL_MIDWAY),
    ):
        await probe.request(method, path)
    assert await read(probe, "http_requests_total") == {
        ("GET", METRICS, "200"): 1,
        ("GET", "/health", "200"): 2,
        ("HEAD", "/health", "200"): 1,
        ("POST", "/health", "405"): 1,
        ("GET", secured, "401"): 1,
        ("DELETE", BY_NUMBER, "200"): 2,
        ("DELETE", BY_NUMBER, "422"): 1,
        ("GET", FAIL, "500"): 1,
        ("GET", FAIL_MIDWAY, "200"): 1,
    }


async def test_clients_cannot_create_labels(probe: AsyncClient) -> None:
    for number in range(3):
        await probe.get(f"/nowhere/{number}")
        await probe.get(f"/{number}", headers={"X-Filler": "x" * MAX_HEADER_BYTES})
        await probe.request(f"BREW{number}", "/health")
    assert await read(probe, "http_requests_total") == {
        ("GET", "other", "404"): 3,
        ("GET", "other", "431"): 3,
        ("other", "/health", "405"): 3,
    }


async def test_durations(probe: AsyncClient) -> None:
    await probe.get("/ready")
    await probe.post("/ready")
    assert await read(probe, "http_request_duration_seconds_count") == {
        ("GET", "/ready"): 1,
        ("POST", "/ready"): 1,
    }
    sums = await read(probe, "http_request_duration_seconds_sum")
    assert 0 < sums["GET", "/ready"] < 5


async def test_websockets_are_not_measured(probe: AsyncClient, measured: FastAPI) -> None:
    assert await websocket(measured, "test")
    assert await read(probe, "http_requests_total") == {}


async def test_requests_in_progress(probe: AsyncClient) -> None:
    await probe.get(FAIL)
    await probe.get(FAIL_MIDWAY)
    # The request for the metrics itself.
    assert await read(probe, "http_requests_in_progress") == {(): 1}


async def test_pool_of_the_database(probe: AsyncClient, measured: FastAPI) -> None:
    state = get_state(measured)
    assert await read(probe, "database_pool_size") == {(): state.settings.database_pool_size}
    assert await read(probe, "database_pool_connections_in_use") == {(): 0}
    async with state.database.transaction():
        assert await read(probe, "database_pool_connections_in_use") == {(): 1}
    assert await read(probe, "database_pool_connections_in_use") == {(): 0}


async def test_rate_limits(probe: AsyncClient) -> None:
    for path in (LIMITED, "/health", "/nowhere", FAIL, LIMITED):
        await probe.get(path)
    assert await read(probe, "rate_limit_refusals_total") == {(LIMITED,): 2}


async def test_token(app: FastAPI) -> None:
    async with open_client(app, metrics_enabled=True, metrics_token=SecretStr(TOKEN)) as client:
        for scheme in ("Bearer", "bearer"):
            response = await client.get(METRICS, headers={"Authorization": f"{scheme} {TOKEN}"})
            assert response.status_code == 200


@pytest.mark.parametrize(
    ("sent", "challenge"),
    [
        ([], "Bearer"),
        ([b"Basic " + TOKEN.encode()], "Bearer"),
        ([TOKEN.encode()], "Bearer"),
        ([b"Bearer"], 'Bearer error="invalid_token"'),
        ([b"Bearer " + TOKEN[:-1].encode()], 'Bearer error="invalid_token"'),
        ([b"Bearer \xe9\xff"], 'Bearer error="invalid_token"'),
    ],
)
async def test_requests_without_the_token_are_rejected(
    app: FastAPI, sent: list[bytes], challenge: str
) -> None:
    headers = [(b"Authorization", value) for value in sent]
    async with open_client(app, metrics_enabled=True, metrics_token=SecretStr(TOKEN)) as client:
        response = await client.get(METRICS, headers=headers)
    error_of(response, 401, "UNAUTHORIZED")
    assert response.headers["WWW-Authenticate"] == challenge


async def test_metrics_are_read_by_address_and_logged_at_debug(
    app: FastAPI, configure: Callable[..., io.StringIO]
) -> None:
    hosts = ["api.example.com"]
    async with open_client(app, metrics_enabled=True, allowed_hosts=hosts) as client:
        text = configure("console")
        response = await client.get(METRICS, headers={"Host": "10.0.0.7:8000"})
    assert response.status_code == 200
    assert "app.access" not in text.getvalue()


async def test_metrics_are_not_documented(measured: FastAPI) -> None:
    assert METRICS not in measured.openapi()["paths"]


async def test_nothing_is_measured_by_default(app: FastAPI, client: AsyncClient) -> None:
    assert (await client.get(METRICS)).status_code == 404
    assert "RequestMetrics" not in str(app.user_middleware)
