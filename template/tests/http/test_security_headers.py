"""Headers of all responses, limits of the size of requests, and whether there is documentation."""

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from app.http.middleware import MAX_HEADER_BYTES, MAX_URL_BYTES
from tests.support.cases import every_resource
from tests.support.error_shape import error_of
from tests.support.probe import ECHO, FAIL, build_app, open_client
from tests.support.resource import Resource
from tests.support.users import UserClient

STRICT_TRANSPORT = "Strict-Transport-Security"


async def test_every_response_has_the_headers(app: FastAPI) -> None:
    async with open_client(app, allowed_hosts=["api.example.com", "test"]) as client:
        for response in (
            await client.get("/health"),
            await client.get("/nowhere"),
            await client.head("/openapi.json"),
            await client.get(FAIL),
            await client.post(ECHO, content=b"{"),
            await client.post(ECHO, content=b"x" * 2_000_000),
            await client.get("/", headers={"Host": "evil.example"}),
            await client.get(f"/?{'x' * MAX_URL_BYTES}"),
        ):
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert response.headers["Cache-Control"] == "no-store"
            assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
            assert STRICT_TRANSPORT not in response.headers
            assert "Server" not in response.headers
            names = [name for name, _ in response.headers.multi_items()]
            assert len(names) == len(set(names))


@every_resource
async def test_rows_are_not_cached(alice: UserClient, resource: Resource) -> None:
    response = await alice.get(resource.path)
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("environment", ["local", "production"])
async def test_https_is_required_in_production_behind_tls(
    app: FastAPI, environment: str, scheme: str
) -> None:
    other = build_app(app, environment=environment)
    async with AsyncClient(transport=ASGITransport(other), base_url=f"{scheme}://test") as client:
        response = await client.get("/health")
    expected = (environment, scheme) == ("production", "https")
    assert (STRICT_TRANSPORT in response.headers) == expected


async def test_long_url(client: AsyncClient) -> None:
    longest = "x" * (MAX_URL_BYTES - len("/"))
    assert (await client.get(f"/?{longest}")).status_code == 200
    for url in (f"/?{longest}x", f"/{longest}x"):
        error_of(await client.get(url), 414, "URL_TOO_LONG")


async def test_large_headers(client: AsyncClient) -> None:
    accepted = await client.get("/", headers={"X-Large": "x" * (MAX_HEADER_BYTES - 1000)})
    assert accepted.status_code == 200
    large = {"X-Large": "x" * MAX_HEADER_BYTES}
    many = {f"X-{number}": "x" * 100 for number in range(MAX_HEADER_BYTES // 100)}
    for headers in (large, many):
        response = await client.get("/", headers=headers)
        error_of(response, 431, "HEADERS_TOO_LARGE")
        assert "xxx" not in response.text


async def test_documentation_can_be_off(app: FastAPI) -> None:
    async with open_client(app, docs_enabled=False) as client:
        for path in ("/docs", "/redoc", "/openapi.json", "/docs/swagger-ui.css"):
            error_of(await client.get(path), 404, "NOT_FOUND")
        response = await client.get("/")
    assert response.json() == {"message": app.title}
    # The document itself still exists, for commands.
    assert build_app(app, docs_enabled=False).openapi()["paths"]
