"""Middleware: request ids, trailing slashes, HEAD, hosts and origins."""

from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from tests.support.error_shape import error_of
from tests.support.probe import ECHO, FAIL, build_app, open_client, websocket
from tests.support.users import UserClient

ORIGIN = "https://pages.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST"}
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
# A `traceparent` header without its version.
TRACE = f"{TRACE_ID}-00f067aa0ba902b7-01"


class TestRequestId:
    async def test_is_generated(self, client: AsyncClient) -> None:
        ids = {(await client.get("/health")).headers["X-Request-ID"] for _ in range(3)}
        assert len(ids) == 3
        assert all(len(request_id) == 32 for request_id in ids)

    @pytest.mark.parametrize("sent", ["a", "0b9f-17:é".encode().hex(), "~" * 128])
    async def test_is_taken_from_the_request(self, client: AsyncClient, sent: str) -> None:
        response = await client.get("/health", headers={"X-Request-ID": sent})
        assert response.headers["X-Request-ID"] == sent

    @pytest.mark.parametrize("sent", [b"", b"a b", b"x" * 129, b"a\tb", b"\xe9", b"\x1b[31m"])
    async def test_is_generated_in_place_of_an_invalid_one(
        self, client: AsyncClient, sent: bytes
    ) -> None:
        response = await client.get("/health", headers={b"X-Request-ID": sent})
        assert len(response.headers["X-Request-ID"]) == 32

    @pytest.mark.parametrize("version", ["00-{}", "fe-{}", "fe-{}-later"])
    async def test_is_otherwise_that_of_the_trace(self, client: AsyncClient, version: str) -> None:
        headers = {"traceparent": version.format(TRACE)}
        response = await client.get("/health", headers=headers)
        assert response.headers["X-Request-ID"] == TRACE_ID
        response = await client.get("/health", headers=headers | {"X-Request-ID": "abc"})
        assert response.headers["X-Request-ID"] == "abc"
        response = await client.get("/health", headers=headers | {"X-Request-ID": "not valid"})
        assert response.headers["X-Request-ID"] == TRACE_ID

    @pytest.mark.parametrize(
        "sent",
        [
            [],
            [""],
            [TRACE],
            [f"ff-{TRACE}"],
            [f"00-{TRACE}-later"],
            [f"fe-{TRACE}later"],
            [f"00-{TRACE.upper()}"],
            [f"00-{TRACE[1:]}"],
            [f"00-{'0' * 32}-{'b' * 16}-01"],
            [f"00-{'a' * 32}-{'0' * 16}-01"],
            [f"00-{TRACE}", f"00-{TRACE}"],
        ],
    )
    async def test_is_not_that_of_an_invalid_trace(
        self, client: AsyncClient, sent: list[str]
    ) -> None:
        response = await client.get("/health", headers=[("traceparent", each) for each in sent])
        assert len(response.headers["X-Request-ID"]) == 32
        assert response.headers["X-Request-ID"] not in {TRACE_ID, "0" * 32, "a" * 32}

    async def test_is_in_every_response(self, client: AsyncClient) -> None:
        headers = {"X-Request-ID": "abc"}
        preflight = {"Origin": "http://evil.example", "Access-Control-Request-Method": "GET"}
        for response in (
            await client.get("/nowhere", headers=headers),
            await client.delete("/health", headers=headers),
            await client.options("/health", headers=headers | preflight),
            await client.get("/health", headers=headers | {"Content-Length": "99999999"}),
        ):
            assert response.headers["X-Request-ID"] == "abc"


class TestTrailingSlash:
    @pytest.mark.parametrize("path", ["/health/", "/health//", "/ready/", "/openapi.json/", "//"])
    async def test_is_ignored(self, client: AsyncClient, path: str) -> None:
        response = await client.get(path)
        assert response.status_code == 200
        assert response.text == (await client.get(path.rstrip("/") or "/")).text

    async def test_causes_no_redirect(self, app: FastAPI) -> None:
        async with open_client(app) as client:
            response = await client.post(f"{ECHO}/", json={"text": "x"})
        assert response.json() == {"text": "x"}

    async def test_is_ignored_by_every_route(self, client: AsyncClient, app: FastAPI) -> None:
        for path in app.openapi()["paths"]:
            url = path.replace("{", "").replace("}", "")
            plain = await client.request("TRACE", url)
            slashed = await client.request("TRACE", f"{url}/")
            assert plain.status_code == slashed.status_code == 405
            assert plain.headers["Allow"] == slashed.headers["Allow"]

    async def test_is_ignored_after_a_path_prefix(self, app: FastAPI) -> None:
        statuses = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            statuses.append(message.get("status"))

        for path in ("/proxy/", "/proxy/health/"):
            scope: dict[str, Any] = {
                "type": "http",
                "method": "GET",
                "root_path": "/proxy",
                "path": path,
                "query_string": b"",
                "headers": [],
            }
            await app(scope, receive, send)
        assert [status for status in statuses if status] == [200, 200]


class TestHead:
    async def test_response_is_that_of_get_without_the_body(
        self, app: FastAPI, client: AsyncClient, alice: UserClient
    ) -> None:
        documented = app.openapi()["paths"].items()
        paths = [path for path, operations in documented if "get" in operations]
        paths += ["/docs", "/redoc", "/openapi.json", "/docs/swagger-ui.css", "/nowhere"]
        for path in paths:
            for sender in (client, alice.http):
                url = path.replace("{user_id}", quote(alice.user_id, safe=""))
                response, head = await sender.get(url), await sender.head(url)
                assert (head.status_code, head.content) == (response.status_code, b""), path
                assert head.headers.keys() == response.headers.keys()
                if response.is_success:
                    assert head.headers["Content-Length"] == str(len(response.content))

    async def test_errors_have_no_body(self, app: FastAPI) -> None:
        async with open_client(app, allowed_hosts=["api.example.com"]) as client:
            for path, host, status in (
                (FAIL, "api.example.com", 500),
                (ECHO, "api.example.com", 405),
                (ECHO, "evil.example", 400),
            ):
                response = await client.head(path, headers={"Host": host})
                assert (response.status_code, response.content) == (status, b"")
            assert response.headers["X-Request-ID"]

    async def test_is_not_documented(self, app: FastAPI) -> None:
        assert all("head" not in path for path in app.openapi()["paths"].values())

    async def test_is_allowed_where_get_is(self, app: FastAPI, client: AsyncClient) -> None:
        for path, operations in app.openapi()["paths"].items():
            url = path.replace("{", "").replace("}", "")
            allowed = (await client.request("TRACE", url)).headers["Allow"].split(", ")
            assert ("HEAD" in allowed) == ("get" in operations)


class TestHosts:
    @pytest.mark.parametrize(
        ("host", "allowed"),
        [
            ("api.example.com", True),
            ("API.example.com:8000", True),
            ("a.example.org", True),
            ("a.b.example.org:80", True),
            ("[::1]", True),
            ("[::1]:8000", True),
            ("example.org", False),
            ("notexample.org", False),
            ("example.com", False),
            ("api.example.com.evil.example", False),
            ("evil.example:api.example.com", False),
            ("[::2]", False),
            ("", False),
        ],
    )
    async def test_allowed_hosts(self, app: FastAPI, host: str, *, allowed: bool) -> None:
        hosts = ["api.example.com", "*.Example.org", "[::1]"]
        async with open_client(app, allowed_hosts=hosts) as client:
            response = await client.get("/", headers={"Host": host})
            if allowed:
                assert response.status_code == 200
            else:
                error_of(response, 400, "BAD_REQUEST")

    @pytest.mark.parametrize("path", ["/health", "/ready", "/health/"])
    async def test_health_checks_accept_all_hosts(self, app: FastAPI, path: str) -> None:
        async with open_client(app, allowed_hosts=["api.example.com"]) as client:
            response = await client.get(path, headers={"Host": "10.0.0.7:8000"})
        assert response.status_code == 200

    async def test_websockets_are_checked(self, app: FastAPI) -> None:
        other = build_app(app, allowed_hosts=["api.example.com"])
        [refused, *_] = await websocket(other, "evil.example")
        assert (refused["type"], refused["status"]) == ("websocket.http.response.start", 400)
        assert await websocket(other, "api.example.com") != [refused]


class TestOrigins:
    async def test_preflight(self, app: FastAPI) -> None:
        headers = {
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        async with open_client(app, cors_origins=[ORIGIN]) as client:
            response = await client.options(ECHO, headers=headers)
        assert response.status_code == 200
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "PATCH" in response.headers["Access-Control-Allow-Methods"]
        assert response.headers["Access-Control-Allow-Headers"] == "authorization,content-type"
        assert response.headers["Access-Control-Allow-Credentials"] == "true"
        assert "Origin" in response.headers["Vary"]

    @pytest.mark.parametrize("path", ["/health", "/nowhere", "/probe/fail"])
    async def test_allowed_origin_may_read_responses(self, app: FastAPI, path: str) -> None:
        async with open_client(app, cors_origins=["https://other.example", ORIGIN]) as client:
            response = await client.get(path, headers={"Origin": ORIGIN})
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert response.headers["Access-Control-Allow-Credentials"] == "true"
        assert "X-Request-ID" in response.headers["Access-Control-Expose-Headers"]
        assert "Origin" in response.headers["Vary"]

    async def test_other_origins_may_not(self, app: FastAPI) -> None:
        async with open_client(app, cors_origins=[ORIGIN]) as client:
            evil = {"Origin": "https://evil.example"}
            responses = [
                await client.get("/health", headers=evil),
                await client.options(ECHO, headers=evil | PREFLIGHT),
            ]
        assert [response.status_code for response in responses] == [200, 400]
        for response in responses:
            assert "Access-Control-Allow-Origin" not in response.headers
            assert "Origin" in response.headers["Vary"]

    @pytest.mark.parametrize("origins", [["*"], [ORIGIN, "*"]])
    async def test_wildcard_excludes_credentials(self, app: FastAPI, origins: list[str]) -> None:
        async with open_client(app, cors_origins=origins) as client:
            for response in (
                await client.get("/health", headers={"Origin": ORIGIN}),
                await client.options(ECHO, headers={"Origin": ORIGIN} | PREFLIGHT),
            ):
                assert response.headers["Access-Control-Allow-Origin"] == "*"
                assert "Access-Control-Allow-Credentials" not in response.headers


async def test_lifespan_is_forwarded(app: FastAPI) -> None:
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = []

    async def receive() -> dict[str, str]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await build_app(app, allowed_hosts=["api.example.com"])({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
