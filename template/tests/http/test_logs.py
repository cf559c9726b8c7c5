"""Logs: one line for each record, with ids of the request and without secrets."""

import io
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.http.middleware import MAX_HEADER_BYTES
from tests.support.cases import every_resource
from tests.support.probe import BY_NUMBER, ECHO, FAIL, open_client
from tests.support.resource import Resource
from tests.support.rows import make
from tests.support.users import UserClient, Users

SERVER_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.access")
Configure = Callable[..., io.StringIO]
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"


def records(text: io.StringIO, logger: str) -> list[dict[str, Any]]:
    """Return the JSON records of a logger."""
    lines = [json.loads(line) for line in text.getvalue().splitlines()]
    return [line for line in lines if line["logger"] == logger]


def test_console(configure: Configure) -> None:
    text = configure("console")
    logging.getLogger("library").info("hello %s", "world")
    logging.getLogger("library").debug("too much")
    [line] = text.getvalue().splitlines()
    assert line.endswith("INFO     [-] library: hello world")


@pytest.mark.parametrize(
    ("level", "own", "others"),
    [
        ("DEBUG", "DEBUG INFO WARNING ERROR", "INFO WARNING ERROR"),
        ("INFO", "INFO WARNING ERROR", "INFO WARNING ERROR"),
        ("WARNING", "WARNING ERROR", "WARNING ERROR"),
        ("ERROR", "ERROR", "ERROR"),
    ],
)
def test_level_is_that_of_the_app(configure: Configure, level: str, own: str, others: str) -> None:
    text = configure("json", level)
    for name in ("app.services.any", "library"):
        for each in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
            logging.getLogger(name).log(each, "hello")
    assert " ".join(line["level"] for line in records(text, "app.services.any")) == own
    assert " ".join(line["level"] for line in records(text, "library")) == others


def test_json(configure: Configure) -> None:
    text = configure("json")
    error = ValueError("example")
    extra = {"size": 7}
    logging.getLogger("library").error("went\nwrong \ud800", exc_info=error, extra=extra)
    [record] = records(text, "library")
    assert record["level"] == "ERROR"
    assert record["message"] == "went\nwrong \ud800"
    assert record["request_id"] == "-"
    assert record["size"] == 7
    assert "ValueError: example" in record["exc_info"]
    assert record["timestamp"].endswith("+00:00")


async def test_request(client: AsyncClient, configure: Configure) -> None:
    text = configure("json")
    await client.get("/nowhere?secret=1", headers={"X-Request-ID": "abc"})
    [record] = records(text, "app.access")
    assert record["message"] == "GET /nowhere 404"
    assert record["request_id"] == "abc"
    assert (record["method"], record["path"], record["status"]) == ("GET", "/nowhere", 404)
    assert record["duration_ms"] >= 0


@every_resource
async def test_request_of_a_user(
    alice: UserClient, app: FastAPI, configure: Configure, resource: Resource
) -> None:
    row = await make(alice, resource)
    text = configure("json")
    for path in (resource.path, resource.row(row), f"{resource.row(row)}/", resource.absent):
        await alice.get(path)
        await alice.http.head(alice.url(path))
    seen = records(text, "app.access")
    assert len(seen) == 8
    assert {record["user_id"] for record in seen} == {alice.user_id}
    routes = [record["route"] for record in seen]
    assert set(routes) <= set(app.openapi()["paths"])
    assert len(set(routes[:2])) == len(set(routes[2:])) == 1
    assert routes[-1].endswith("}")


async def test_request_without_a_user(app: FastAPI, configure: Configure) -> None:
    async with open_client(app) as client:
        text = configure("json")
        secured = next(iter(secured_paths(app)))
        await client.get(secured.replace("{user_id}", "1"))
        await client.get("/nowhere")
        await client.head("/health/nowhere")
        await client.post("/ready/")
        await client.delete("/probe/7/")
        await client.delete("/probe/seven")
        await client.get(FAIL)
        await client.get("/health", headers={"X-Filler": "x" * MAX_HEADER_BYTES})
    seen = [record for record in records(text, "app.access") if "status" in record]
    routes = [record.get("route") for record in seen]
    assert routes == [secured, None, None, "/ready", BY_NUMBER, BY_NUMBER, FAIL, None]
    assert not any("user_id" in record for record in seen)


async def test_trace(client: AsyncClient, configure: Configure) -> None:
    text = configure("json")
    await client.get("/nowhere", headers={"traceparent": TRACEPARENT})
    await client.get("/nowhere", headers={"traceparent": "invalid"})
    headers = {"traceparent": TRACEPARENT, "X-Request-ID": "abc"}
    await client.get("/nowhere", headers=headers)
    first, second, third = records(text, "app.access")
    assert (first["request_id"], first["trace_id"]) == (TRACE_ID, TRACE_ID)
    assert "trace_id" not in second
    assert (third["request_id"], third["trace_id"]) == ("abc", TRACE_ID)
    logging.getLogger("app.access").info("outside")
    assert "trace_id" not in records(text, "app.access")[-1]


async def test_console_line_is_short(alice: UserClient, configure: Configure) -> None:
    text = configure("console")
    await alice.http.get("/nowhere", headers={"traceparent": TRACEPARENT, "X-Request-ID": "abc"})
    [line] = [line for line in text.getvalue().splitlines() if "app.access" in line]
    assert line.endswith("INFO     [abc] app.access: GET /nowhere 404")


async def test_method_is_that_of_the_client(client: AsyncClient, configure: Configure) -> None:
    text = configure("json")
    await client.head("/nowhere")
    [record] = records(text, "app.access")
    assert record["message"] == "HEAD /nowhere 404"


async def test_health_checks_are_logged_at_debug(
    app: FastAPI, client: AsyncClient, configure: Configure
) -> None:
    text = configure("json", "DEBUG")
    for path in ("/health", "/ready", "/health/"):
        await client.get(path)
    assert [line["level"] for line in records(text, "app.access")] == ["DEBUG"] * 3
    text = configure("json")
    await client.get("/health")
    assert not records(text, "app.access")


async def test_failed_health_check_is_logged_at_info(
    app: FastAPI, configure: Configure, tmp_path: Path
) -> None:
    async with open_client(app, database_url=f"sqlite:///{tmp_path}/no/such/folder/a.db") as client:
        text = configure("json")
        await client.get("/ready")
    [record] = records(text, "app.access")
    assert (record["level"], record["message"]) == ("INFO", "GET /ready 503")


async def test_path_cannot_forge_a_line(client: AsyncClient, configure: Configure) -> None:
    text = configure("console")
    await client.get("/a%0Ab%1B%5B31m%E2%80%A8%ED%A0%80")
    lines = [line for line in text.getvalue().splitlines() if "app.access" in line]
    assert len(lines) == 1
    assert "GET /a%0Ab%1B%5B31m%E2%80%A8" in lines[0]


async def test_records_have_the_request_id(app: FastAPI, configure: Configure) -> None:
    async with open_client(app) as client:
        text = configure("json")
        await client.get(FAIL, headers={"X-Request-ID": "first"})
        await client.get("/nowhere", headers={"X-Request-ID": "second"})
    logging.getLogger("app.access").info("outside")
    seen = [record["request_id"] for record in records(text, "app.access")]
    assert seen == ["first", "first", "second", "-"]


@pytest.mark.parametrize("log_format", ["console", "json"])
async def test_no_secret_is_logged(
    app: FastAPI, configure: Configure, log_format: Literal["console", "json"]
) -> None:
    headers = {"Authorization": "Bearer s3cret", "Cookie": "session=s3cret", "X-Api-Key": "s3cret"}
    secured = next(iter(secured_paths(app)))
    async with open_client(app) as client:
        text = configure(log_format, "DEBUG")
        for path in (secured, FAIL, f"{FAIL}?token=s3cret"):
            await client.get(path, headers=headers)
        await client.post(ECHO, json={"password": "s3cret"}, headers=headers)
    written = [line for line in text.getvalue().splitlines() if "httpx" not in line]
    assert len(written) >= 4
    assert "s3cret" not in "\n".join(written)


@pytest.mark.parametrize("log_format", ["console", "json"])
@every_resource
async def test_no_value_of_a_row_is_logged(
    users: Users, configure: Configure, resource: Resource, log_format: Literal["console", "json"]
) -> None:
    text = configure(log_format, "DEBUG")
    alice = await users.sign_in("alice")
    sent = resource.body(0)
    row = await make(alice, resource)
    path = resource.row(row)
    assert (await alice.get(path)).status_code == 200
    assert (await alice.update(path, json=sent)).status_code == 200
    assert (await alice.get(resource.path)).status_code == 200
    assert (await alice.delete(path)).status_code == 204
    # httpx logs the requests of the tests themselves.
    written = [line for line in text.getvalue().splitlines() if "httpx" not in line]
    assert len(written) >= 5
    texts = {value for value in sent.values() if isinstance(value, str) and len(value) > 5}
    secrets = {*texts, alice.http.headers["Authorization"].removeprefix("Bearer ")}
    assert [secret for secret in secrets if secret in "\n".join(written)] == []
    # Only the app logs at DEBUG: drivers would log the parameters of statements.
    for line in written:
        assert "DEBUG" not in line or " app." in line or '"app.' in line


def secured_paths(app: FastAPI) -> list[str]:
    """Return the paths whose GET requires a token."""
    return [
        path
        for path, operations in app.openapi()["paths"].items()
        if "security" in operations.get("get", {})
    ]


def test_server_logs_in_the_format_of_the_app(configure: Configure) -> None:
    loggers = [logging.getLogger(name) for name in SERVER_LOGGERS]
    for logger in loggers:
        logger.addHandler(logging.StreamHandler(io.StringIO()))
        logger.propagate = False
    text = configure("json")
    logging.getLogger("uvicorn.error").info("started", extra={"color_message": "started"})
    logging.getLogger("uvicorn.access").info("a request, which the app logs itself")
    [record] = records(text, "uvicorn.error")
    assert record["message"] == "started"
    assert "color_message" not in record
    assert not records(text, "uvicorn.access")
    assert not loggers[-1].hasHandlers()
