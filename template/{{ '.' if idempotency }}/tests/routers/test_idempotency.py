"""Repeated requests with an `Idempotency-Key`."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from fastapi import FastAPI
from httpx import Response
from sqlalchemy import func, select, update

from app import API_PREFIX
from app.db.database import Database
from app.errors import Conflict
from app.models.idempotency_key import IdempotencyKey
from tests.support.cases import each_resource_where, each_resource_with, every_resource
from tests.support.error_shape import error_of
from tests.support.resource import Resource
from tests.support.rows import full_body, listed
from tests.support.users import UserClient

CLIENTS = 16
HEADERS = ("Location", "ETag", "Content-Type")

keys = IdempotencyKey.__table__

each_changeable = each_resource_where(lambda resource: resource.rows > 1)
each_repeatable = each_resource_where(lambda resource: not resource.has_unique)


async def send(
    user: UserClient, resource: Resource, body: Any, key: str = "k", path: str = ""
) -> Response:
    """Send POST with a key."""
    return await user.post(resource.path + path, json=body, headers={"Idempotency-Key": key})


async def count_keys(database: Database) -> int:
    """Return the number of stored keys."""
    [row] = await database.execute(select(func.count().label("count")).select_from(keys))
    return int(row["count"])


async def let_expire(database: Database) -> None:
    """Make all keys a day older."""
    past = datetime.now(UTC) - timedelta(hours=24, seconds=1)
    await database.execute(update(keys).values(created_at=past))


@every_resource
async def test_repeated_request_gets_the_same_response(
    alice: UserClient, resource: Resource
) -> None:
    body = await full_body(alice, resource)
    first = await send(alice, resource, body)
    assert first.status_code == 201, first.text
    rows = await listed(alice, resource.path)
    repeated = await send(alice, resource, body)
    assert (repeated.status_code, repeated.content) == (201, first.content)
    for name in HEADERS:
        assert repeated.headers[name] == first.headers[name]
    assert await listed(alice, resource.path) == rows


@every_resource
async def test_response_is_that_of_the_time(alice: UserClient, resource: Resource) -> None:
    body = await full_body(alice, resource)
    first = await send(alice, resource, body)
    await alice.delete(resource.row(first.json()))
    assert (await send(alice, resource, body)).content == first.content
    assert (await alice.get(resource.row(first.json()))).status_code == 404


@each_resource_with("bulk")
async def test_several_rows(alice: UserClient, resource: Resource) -> None:
    body = [await full_body(alice, resource, number) for number in range(resource.rows)]
    first = await send(alice, resource, body, path="/bulk")
    assert first.status_code == 201, first.text
    rows = await listed(alice, resource.path)
    repeated = await send(alice, resource, body, path="/bulk")
    assert (repeated.status_code, repeated.content) == (201, first.content)
    assert "Location" not in repeated.headers
    assert await listed(alice, resource.path) == rows


@each_repeatable
async def test_requests_with_other_keys_or_none_are_executed(
    alice: UserClient, resource: Resource, database: Database
) -> None:
    body = await full_body(alice, resource)
    before = len(await listed(alice, resource.path))
    for key in ("a", "b"):
        assert (await send(alice, resource, body, key)).status_code == 201
    for _ in range(2):
        assert (await alice.post(resource.path, json=body)).status_code == 201
    assert len(await listed(alice, resource.path)) == before + 4
    assert await count_keys(database) == 2


@every_resource
async def test_key_of_another_request(alice: UserClient, resource: Resource) -> None:
    body = await full_body(alice, resource)
    assert (await send(alice, resource, body)).status_code == 201
    rows = await listed(alice, resource.path)
    text = alice.http.build_request("POST", "/", json=body).content + b" "
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    response = await alice.post(resource.path, content=text, headers=headers)
    errors = error_of(response, 422, "VALIDATION_ERROR")
    assert errors == {"Idempotency-Key": "Was used for another request."}
    assert await listed(alice, resource.path) == rows


@each_resource_where(lambda resource: resource.owned or resource.rows > 1)
async def test_keys_belong_to_users(alice: UserClient, bob: UserClient, resource: Resource) -> None:
    first = await send(alice, resource, await full_body(alice, resource))
    number = 0 if resource.owned else 1
    other = await send(bob, resource, await full_body(bob, resource, number))
    assert (first.status_code, other.status_code) == (201, 201)
    assert other.json()["id"] != first.json()["id"]


@every_resource
async def test_failed_request_stores_nothing(
    alice: UserClient, resource: Resource, database: Database
) -> None:
    body = await full_body(alice, resource)
    assert (await send(alice, resource, body | {"unknown": 1})).status_code == 422
    with mock.patch("app.idempotency.store_response", side_effect=Conflict):
        assert (await send(alice, resource, body)).status_code == 409
    assert await count_keys(database) == 0
    rows = await listed(alice, resource.path)
    assert (await send(alice, resource, body)).status_code == 201
    assert len(await listed(alice, resource.path)) == len(rows) + 1


@every_resource
@pytest.mark.parametrize("key", ["a" * 256, "a b", "é".encode(), ""])
async def test_invalid_key(alice: UserClient, resource: Resource, key: str | bytes) -> None:
    body = await full_body(alice, resource)
    headers: Any = {"Idempotency-Key": key}
    response = await alice.post(resource.path, json=body, headers=headers)
    assert set(error_of(response, 422, "VALIDATION_ERROR")) == {"Idempotency-Key"}


@every_resource
async def test_one_of_many_requests_is_executed(alice: UserClient, resource: Resource) -> None:
    body = await full_body(alice, resource)
    before = len(await listed(alice, resource.path))
    sent = [send(alice, resource, body) for _ in range(CLIENTS)]
    responses = await asyncio.gather(*sent)
    created = [response.content for response in responses if response.status_code == 201]
    assert len(set(created)) == 1
    assert {response.status_code for response in responses} <= {201, 409}
    assert len(await listed(alice, resource.path)) == before + 1


@every_resource
async def test_key_of_a_request_that_is_running(
    alice: UserClient, resource: Resource, database: Database
) -> None:
    body = await full_body(alice, resource)
    if database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writing transaction at a time")
    running, finished = asyncio.Event(), asyncio.Event()

    async def wait(*_: object) -> None:
        running.set()
        await finished.wait()

    with mock.patch("app.idempotency.store_response", wait):
        first = asyncio.create_task(send(alice, resource, body))
        await running.wait()
        second = await send(alice, resource, body)
        finished.set()
        assert (await first).status_code == 201
    error_of(second, 409, "CONFLICT")


@each_changeable
async def test_expired_key_can_be_used_again(
    alice: UserClient, resource: Resource, database: Database
) -> None:
    first = await send(alice, resource, await full_body(alice, resource))
    await let_expire(database)
    again = await send(alice, resource, await full_body(alice, resource, 1))
    assert (first.status_code, again.status_code) == (201, 201)
    assert await count_keys(database) == 1


@each_repeatable
async def test_expired_keys_are_deleted(
    alice: UserClient, bob: UserClient, resource: Resource, database: Database
) -> None:
    body = await full_body(bob, resource)
    for key in ("a", "b", "c"):
        assert (await send(bob, resource, body, key)).status_code == 201
    await let_expire(database)
    assert (await send(alice, resource, await full_body(alice, resource))).status_code == 201
    assert await count_keys(database) == 1


@every_resource
async def test_header_is_documented(app: FastAPI, resource: Resource) -> None:
    operation = app.openapi()["paths"][API_PREFIX + resource.path]["post"]
    assert {"409", "422"} <= operation["responses"].keys()
    [header] = [one for one in operation["parameters"] if one["in"] == "header"]
    assert header["name"] == "Idempotency-Key"
    assert not header["required"]
