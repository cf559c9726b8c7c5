"""User ids with characters that are special in paths: each id has exactly one path."""

import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from app import API_PREFIX
from app.auth.path_segments import PathSegments, SegmentConvertor
from tests.support.error_shape import error_of
from tests.support.identity import ISSUER
from tests.support.probe import build_app

IDS = [
    "plain",
    "wXHHqYbG/zM16zmnKGOk1A5gNng=",
    "a/b",
    "a%2Fb",
    "a%252Fb",
    "/",
    "//",
    "/a",
    "a/",
    "a/../b",
    "%",
    "%25",
    "%2",
    "%2/",
    "..",
    ".",
    "a b",
    "a+b",
    "a?b#c;d\\e\"f'g",
    "用户1",
    "josé",
    "مرحبا",
    "🔑",
]


async def read_user_id(user_id: str) -> str:
    """Return the user id as a route receives it."""
    return user_id


async def read_name(name: str) -> str:
    """Return a path parameter that is not a user id."""
    return name


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client of an app with these two routes."""
    other = build_app(app)
    other.add_api_route(API_PREFIX + "/{user_id:segment}/probe", read_user_id)
    other.add_api_route(API_PREFIX + "/probe/parts/{name}", read_name)
    async with (
        other.router.lifespan_context(other),
        AsyncClient(transport=ASGITransport(other), base_url="http://test") as client,
    ):
        yield client


def segment(user_id: str) -> str:
    """Encode an id as one segment; clients would resolve `.` and `..`."""
    encoded = quote(user_id, safe="")
    return encoded.replace(".", "%2E") if user_id in {".", ".."} else encoded


def listing(app: FastAPI) -> str:
    """Return the path of a list of the rows of a user."""
    paths: dict[str, dict[str, Any]] = app.openapi()["paths"]
    return next(
        path
        for path, operations in paths.items()
        if path.count("{") == 1 and "{user_id}" in path and {"get", "post"} <= operations.keys()
    )


@pytest.mark.parametrize("user_id", IDS)
async def test_user_has_one_path(app: FastAPI, client: AsyncClient, user_id: str) -> None:
    path = listing(app)
    headers = {"Authorization": f"Bearer {ISSUER.token(sub=user_id)}"}
    for slash in ("", "/"):
        url = path.replace("{user_id}", segment(user_id)) + slash
        assert (await client.get(url, headers=headers)).status_code == 200
    for other in set(IDS) - {user_id}:
        url = path.replace("{user_id}", segment(other))
        error_of(await client.get(url, headers=headers), 403, "FORBIDDEN")


@pytest.mark.parametrize("user_id", IDS)
async def test_route_receives_the_id(api: AsyncClient, user_id: str) -> None:
    assert (await api.get(f"{API_PREFIX}/{segment(user_id)}/probe")).json() == user_id
    convertor = SegmentConvertor()
    assert convertor.convert(convertor.to_string(user_id)) == user_id


@pytest.mark.parametrize("sent", ["a%2fb", "%61%2F%62"])
async def test_encodings_are_equivalent(api: AsyncClient, sent: str) -> None:
    assert (await api.get(f"{API_PREFIX}/{sent}/probe")).json() == "a/b"


async def test_other_paths_are_unchanged(api: AsyncClient) -> None:
    assert (await api.get(f"{API_PREFIX}/probe/parts/a%252Fb%25")).json() == "a%2Fb%"
    assert (await api.get(f"{API_PREFIX}/probe/parts/a%2Fb")).status_code == 404
    assert (await api.get("/%2Fhealth")).status_code == 404
    assert (await api.get("/health?a=%2F")).status_code == 200


async def routed_path(scope: dict[str, Any]) -> str:
    """Return the path that the router receives."""
    paths = []

    async def router(scope: Any, _receive: object, _send: object) -> None:
        paths.append(scope["path"])

    await PathSegments(router)({"type": "http", **scope}, None, None)  # type: ignore[arg-type]
    [path] = paths
    return str(path)


@pytest.mark.parametrize(
    ("path", "sent", "root", "expected"),
    [
        # As Uvicorn sends it: both start with the root path.
        ("/at/api/a/b/x", "/at/api/a%2Fb/x", "/at", "/at/api/a%2Fb/x"),
        ("/at/api/a/b/x", "/at/api/a%2Fb/x/", "/at", "/at/api/a%2Fb/x"),
        # Other servers omit it from both.
        ("/api/a/b/x", "/api/a%2Fb/x", "/at", "/api/a%2Fb/x"),
        # Another middleware has changed the path: the raw path does not match it.
        ("/api/a%b/x", "/at/api/a%25b/x", "", "/api/a%25b/x"),
        ("/api/c/x", "/api/a%2Fb/x", "", "/api/c/x"),
        ("/elsewhere/a/b", "/elsewhere/a%2Fb", "", "/elsewhere/a/b"),
        ("/api", "/%61pi", "", "/api"),
    ],
)
async def test_path_that_the_router_receives(
    monkeypatch: pytest.MonkeyPatch, path: str, sent: str, root: str, expected: str
) -> None:
    monkeypatch.setattr("app.auth.path_segments.API_PREFIX", "/api")
    scope = {"path": path, "raw_path": sent.encode(), "root_path": root}
    assert await routed_path(scope) == expected


async def test_server_without_raw_path(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    class Transport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            async def without_raw_path(scope: Any, receive: Any, send: Any) -> None:
                await other({**scope, "raw_path": None}, receive, send)

            return await ASGITransport(without_raw_path).handle_async_request(request)

    other = build_app(app)
    path = listing(app)
    statuses = []
    async with (
        other.router.lifespan_context(other),
        AsyncClient(transport=Transport(), base_url="http://test") as client,
    ):
        for user_id in ("plain", "a%2Fb", "a%b", "a/b"):
            headers = {"Authorization": f"Bearer {ISSUER.token(sub=user_id)}"}
            url = path.replace("{user_id}", segment(user_id))
            statuses.append((await client.get(url, headers=headers)).status_code)
    assert statuses == [200, 200, 200, 404]
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.getMessage() for record in warnings] == [
        "the server does not provide raw_path: ids with a slash are not found (404)"
    ]
