"""Whatever goes wrong, the answer is an error in the one format, and tells nothing else."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from httpx import AsyncClient

from app.errors import ApiError, ServiceUnavailable
from app.http.error_handlers import handle_invalid_request
from app.http.error_responses import DOCUMENTED, error_response, responses
from app.http.middleware import MAX_BODY_BYTES
from tests.support.error_shape import error_of
from tests.support.probe import BREAK_OFF, ECHO, FAIL, SECRET, probe

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def probed(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client of an app with routes of the tests' own."""
    async with probe(app) as client:
        yield client


async def test_unknown_route(client: AsyncClient) -> None:
    error_of(await client.get("/nowhere"), 404, "NOT_FOUND")


async def test_unknown_method(client: AsyncClient) -> None:
    response = await client.delete("/health")
    error_of(response, 405, "METHOD_NOT_ALLOWED")
    assert response.headers["Allow"] == "GET, HEAD"


async def test_allow_names_the_methods_of_every_route_with_this_path(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    path = next(path for path, operations in paths.items() if {"get", "post"} <= set(operations))
    async with probe(app) as client:
        response = await client.request("TRACE", path)
    error_of(response, 405, "METHOD_NOT_ALLOWED")
    # HEAD answers wherever GET does, and has no entry of its own in the document.
    assert response.headers["Allow"] == ", ".join(sorted({*paths[path], "head"})).upper()


async def test_name_of_a_route_is_no_id(probed: AsyncClient) -> None:
    assert (await probed.delete("/probe/7")).status_code == 200
    error_of(await probed.delete("/probe/seven"), 422, "VALIDATION_ERROR")
    response = await probed.delete(ECHO)
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
async def test_unreadable_body(probed: AsyncClient, content: bytes) -> None:
    response = await probed.post(ECHO, content=content, headers=JSON)
    error_of(response, 422, "VALIDATION_ERROR")


async def test_other_media_type(probed: AsyncClient) -> None:
    response = await probed.post(ECHO, content=b"a=b", headers={"Content-Type": "text/plain"})
    assert "body" in error_of(response, 422, "VALIDATION_ERROR")


async def test_fields_are_named(probed: AsyncClient) -> None:
    response = await probed.post(ECHO, json={"text": 7})
    assert set(error_of(response, 422, "VALIDATION_ERROR")) == {"text"}


async def test_body_that_is_no_json_is_named_as_a_whole(probed: AsyncClient) -> None:
    response = await probed.post(ECHO, content=b"{", headers=JSON)
    assert set(error_of(response, 422, "VALIDATION_ERROR")) == {"body"}


async def test_echo_is_short_and_bounded() -> None:
    items = [
        {"type": "extra_forbidden", "loc": ("body", f"{number}\ud800" * 100), "msg": "x" * 1000}
        for number in range(1000)
    ]
    response = await handle_invalid_request(None, RequestValidationError(items))  # type: ignore[arg-type]
    assert len(response.body) < 50_000


async def test_body_that_declares_too_much_is_not_read(probed: AsyncClient) -> None:
    headers = JSON | {"Content-Length": str(MAX_BODY_BYTES + 1)}
    error_of(await probed.post(ECHO, content=b"{}", headers=headers), 413, "PAYLOAD_TOO_LARGE")
    # A route without a body refuses it too.
    response = await probed.request("GET", "/health", content=b"{}", headers=headers)
    error_of(response, 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "x"])
async def test_odd_content_length_is_no_crash(probed: AsyncClient, length: str) -> None:
    response = await probed.post(ECHO, content=b"{}", headers=JSON | {"Content-Length": length})
    assert response.status_code in {413, 422}


async def test_body_that_grows_too_large(probed: AsyncClient) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += MAX_BODY_BYTES // 10
            yield b" " * (MAX_BODY_BYTES // 10)

    response = await probed.post(ECHO, content=chunks(), headers=JSON)
    error_of(response, 413, "PAYLOAD_TOO_LARGE")
    assert sent < 2 * MAX_BODY_BYTES


async def test_largest_body_is_read(probed: AsyncClient) -> None:
    content = b'{"text": ""}'.ljust(MAX_BODY_BYTES)
    response = await probed.post(ECHO, content=content, headers=JSON)
    assert response.json() == {"text": ""}


async def test_unexpected_error_tells_nothing(
    probed: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = await probed.get(FAIL, headers={"X-Request-ID": "abc", "Origin": "http://localhost"})
    error_of(response, 500, "INTERNAL_ERROR")
    assert SECRET not in response.text
    assert "Traceback" not in response.text
    assert response.headers["X-Request-ID"] == "abc"
    assert SECRET in caplog.text


async def test_error_in_the_middle_of_an_answer(
    probed: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = await probed.get(BREAK_OFF)
    assert response.status_code == 200
    assert response.content == b"begun"
    assert SECRET in caplog.text


async def test_host_that_is_not_served(app: FastAPI) -> None:
    async with probe(app, allowed_hosts=["api.example.com"]) as client:
        error_of(await client.get("/"), 400, "BAD_REQUEST")


async def test_refused_preflight(app: FastAPI) -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    async with probe(app, cors_origins=["https://pages.example"]) as client:
        response = await client.options("/health", headers=headers)
    error_of(response, 400, "BAD_REQUEST")
    assert "Access-Control-Allow-Origin" not in response.headers


def test_retry_after() -> None:
    assert error_response(ServiceUnavailable()).headers["Retry-After"] == "5"


def test_nothing_but_known_errors_is_documented() -> None:
    assert responses(418) == {}


def test_codes_and_statuses_are_distinct() -> None:
    known: list[type[ApiError]] = [*DOCUMENTED, ApiError]
    assert len({error.code for error in known}) == len(known)
    assert len({error.status for error in known}) == len(known)
