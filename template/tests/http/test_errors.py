"""All errors have one format, and reveal no internals."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from httpx import ASGITransport, AsyncClient, Response
from starlette.responses import PlainTextResponse, StreamingResponse

from app.errors import ApiError, ServiceUnavailable
from app.http.error_handlers import handle_invalid_request
from app.http.error_responses import DOCUMENTED, error_response, responses
from app.http.middleware import MAX_BODY_BYTES
from tests.support.error_shape import error_of
from tests.support.probe import ECHO, FAIL, FAIL_MIDWAY, SECRET, build_app, open_client

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def probe(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client of an app with the additional routes."""
    async with open_client(app) as client:
        yield client


async def test_unknown_route(client: AsyncClient) -> None:
    error_of(await client.get("/nowhere"), 404, "NOT_FOUND")


async def test_unknown_method(client: AsyncClient) -> None:
    response = await client.delete("/health")
    error_of(response, 405, "METHOD_NOT_ALLOWED")
    assert response.headers["Allow"] == "GET, HEAD"


async def test_allow_header_has_the_methods_of_all_routes_of_a_path(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    path = next(path for path, operations in paths.items() if {"get", "post"} <= set(operations))
    async with open_client(app) as client:
        response = await client.request("TRACE", path)
    error_of(response, 405, "METHOD_NOT_ALLOWED")
    # HEAD is supported wherever GET is, without being documented.
    assert response.headers["Allow"] == ", ".join(sorted({*paths[path], "head"})).upper()


async def test_static_path_is_not_an_id(probe: AsyncClient) -> None:
    assert (await probe.delete("/probe/7")).status_code == 200
    error_of(await probe.delete("/probe/seven"), 422, "VALIDATION_ERROR")
    response = await probe.delete(ECHO)
    error_of(response, 405, "METHOD_NOT_ALLOWED")
    assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"not json",
        b"\0",
        b'{"text": "\xff"}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"text":' + b"[" * 950 + b"]" * 950 + b"}",
        b'{"text":' * 5_000,
        b'{"text":' + b"9" * 100_000 + b"}",
        b'{"text": 1e999}',
        b'{"text": NaN}',
        b'{"text": -Infinity}',
        b'{"\\ud800": "\\udfff"}',
        b"[]",
        b"null",
        b"",
    ],
)
async def test_invalid_body(probe: AsyncClient, content: bytes) -> None:
    response = await probe.post(ECHO, content=content, headers=JSON)
    error_of(response, 422, "VALIDATION_ERROR")


async def test_other_media_type(probe: AsyncClient) -> None:
    response = await probe.post(ECHO, content=b"a=b", headers={"Content-Type": "text/plain"})
    assert "body" in error_of(response, 422, "VALIDATION_ERROR")


async def test_error_names_the_field(probe: AsyncClient) -> None:
    response = await probe.post(ECHO, json={"text": 7})
    assert set(error_of(response, 422, "VALIDATION_ERROR")) == {"text"}


async def test_error_in_json_names_the_body(probe: AsyncClient) -> None:
    response = await probe.post(ECHO, content=b"{", headers=JSON)
    assert set(error_of(response, 422, "VALIDATION_ERROR")) == {"body"}


async def test_error_with_many_fields_is_short() -> None:
    items = [
        {"type": "extra_forbidden", "loc": ("body", f"{number}\ud800" * 100), "msg": "x" * 1000}
        for number in range(1000)
    ]
    request = Request({"type": "http"})
    response = await handle_invalid_request(request, RequestValidationError(items))
    assert len(response.body) < 50_000


async def test_too_large_content_length(probe: AsyncClient) -> None:
    headers = JSON | {"Content-Length": str(MAX_BODY_BYTES + 1)}
    error_of(await probe.post(ECHO, content=b"{}", headers=headers), 413, "PAYLOAD_TOO_LARGE")
    # A route without a body rejects it too.
    response = await probe.request("GET", "/health", content=b"{}", headers=headers)
    error_of(response, 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "x"])
async def test_invalid_content_length(probe: AsyncClient, length: str) -> None:
    response = await probe.post(ECHO, content=b"{}", headers=JSON | {"Content-Length": length})
    assert response.status_code in {413, 422}


async def test_too_large_body_without_content_length(probe: AsyncClient) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += MAX_BODY_BYTES // 10
            yield b" " * (MAX_BODY_BYTES // 10)

    response = await probe.post(ECHO, content=chunks(), headers=JSON)
    error_of(response, 413, "PAYLOAD_TOO_LARGE")
    assert sent < 2 * MAX_BODY_BYTES


async def test_largest_body_is_accepted(probe: AsyncClient) -> None:
    content = b'{"text": ""}'.ljust(MAX_BODY_BYTES)
    response = await probe.post(ECHO, content=content, headers=JSON)
    assert response.json() == {"text": ""}


async def test_unexpected_error_reveals_nothing(
    probe: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = await probe.get(FAIL, headers={"X-Request-ID": "abc", "Origin": "http://localhost"})
    error_of(response, 500, "INTERNAL_ERROR")
    assert SECRET not in response.text
    assert "Traceback" not in response.text
    assert response.headers["X-Request-ID"] == "abc"
    assert SECRET in caplog.text


async def test_error_while_a_response_is_sent(
    probe: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = await probe.get(FAIL_MIDWAY)
    assert response.status_code == 200
    assert response.content == b"first part"
    assert SECRET in caplog.text


async def test_host_that_is_not_allowed(app: FastAPI) -> None:
    async with open_client(app, allowed_hosts=["api.example.com"]) as client:
        error_of(await client.get("/"), 400, "BAD_REQUEST")


async def test_preflight_of_another_origin(app: FastAPI) -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    async with open_client(app, cors_origins=["https://pages.example"]) as client:
        response = await client.options("/health", headers=headers)
    error_of(response, 400, "BAD_REQUEST")
    assert "Access-Control-Allow-Origin" not in response.headers


def test_retry_after() -> None:
    assert error_response(ServiceUnavailable()).headers["Retry-After"] == "5"


def test_only_known_errors_are_documented() -> None:
    assert responses(418) == {}


def test_codes_and_statuses_are_distinct() -> None:
    known: list[type[ApiError]] = [*DOCUMENTED, ApiError]
    assert len({error.code for error in known}) == len(known)
    assert len({error.status for error in known}) == len(known)


async def get_from(app: FastAPI, endpoint: Any) -> Response:
    """Return the response of an app with one more route."""
    other = build_app(app)
    other.add_api_route("/probe/own", endpoint, response_model=None)
    async with AsyncClient(transport=ASGITransport(other), base_url="http://test") as client:
        return await client.get("/probe/own")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "BAD_REQUEST"),
        (402, "PAYMENT_REQUIRED"),
        (409, "CONFLICT"),
        (413, "PAYLOAD_TOO_LARGE"),
        (422, "VALIDATION_ERROR"),
        (429, "RATE_LIMITED"),
        (500, "INTERNAL_ERROR"),
    ],
)
@pytest.mark.parametrize("detail", ["Too many cooks.", {"cooks": 3}, ["cooks"]])
async def test_http_exception_of_a_route(
    app: FastAPI, status: int, code: str, detail: object
) -> None:
    async def own() -> None:
        raise HTTPException(status, detail, headers={"X-Cooks": "3"})

    response = await get_from(app, own)
    error_of(response, status, code)
    assert "ooks" in response.text
    assert response.headers["X-Cooks"] == "3"


async def test_status_without_a_name(app: FastAPI) -> None:
    async def own() -> None:
        raise HTTPException(499, "The client left.")

    response = await get_from(app, own)
    assert response.status_code == 499
    assert "HTTP_499" in response.text
    assert "The client left." in response.text


@pytest.mark.parametrize("status", [200, 400, 413])
async def test_plain_text_of_a_route_is_unchanged(app: FastAPI, status: int) -> None:
    async def own() -> PlainTextResponse:
        return PlainTextResponse("Too many cooks", status)

    response = await get_from(app, own)
    assert (response.status_code, response.text) == (status, "Too many cooks")
    assert response.headers["Content-Type"].startswith("text/plain")


async def test_stream_of_plain_text_is_unchanged(app: FastAPI) -> None:
    async def parts() -> AsyncIterator[str]:
        yield "Too many "
        yield "cooks"

    async def own() -> StreamingResponse:
        return StreamingResponse(parts(), 400, media_type="text/plain")

    response = await get_from(app, own)
    assert (response.status_code, response.text) == (400, "Too many cooks")
