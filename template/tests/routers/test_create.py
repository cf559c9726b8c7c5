"""Creating rows of every resource."""

from typing import Any

from fastapi import FastAPI

from app import API_PREFIX
from tests.support.cases import each_field, each_value, every_resource
from tests.support.resource import Resource
from tests.support.rows import full_body, references, stored
from tests.support.users import UserClient


@every_resource
async def test_returns_the_row_and_its_location(alice: UserClient, resource: Resource) -> None:
    sent = await full_body(alice, resource)
    response = await alice.post(resource.path, json=sent)
    assert response.status_code == 201
    row = response.json()
    assert {name: row[name] for name in sent} == sent
    if resource.owned:
        assert str(row["user_id"]) == alice.user_id
    assert response.headers["Location"] == alice.url(resource.row(row))
    found = await alice.http.get(response.headers["Location"])
    assert found.json() == await stored(alice, resource, row) == row


@every_resource
async def test_fills_in_defaults(alice: UserClient, resource: Resource) -> None:
    sent = {name: resource.body(0)[name] for name in resource.required}
    response = await alice.post(resource.path, json=sent | await references(alice, resource))
    assert response.status_code == 201
    assert {name: response.json()[name] for name in resource.omitted} == resource.omitted


@each_field(lambda resource: resource.required)
async def test_rejects_a_missing_field(alice: UserClient, resource: Resource, name: str) -> None:
    sent = await full_body(alice, resource)
    del sent[name]
    response = await alice.post(resource.path, json=sent)
    assert response.status_code == 422
    assert name in response.text


@each_value(lambda resource: resource.invalid)
async def test_rejects_an_invalid_value(
    alice: UserClient, resource: Resource, name: str, value: Any
) -> None:
    sent = await full_body(alice, resource)
    response = await alice.post(resource.path, json=sent | {name: value})
    assert response.status_code == 422
    assert name in response.text


@each_field(lambda _: ["id", "user_id", "created_at", "Unknown"])
async def test_rejects_a_field_that_clients_cannot_set(
    alice: UserClient, resource: Resource, name: str
) -> None:
    sent = await full_body(alice, resource)
    response = await alice.post(resource.path, json=sent | {name: "x"})
    assert response.status_code == 422
    assert name in response.text


@every_resource
async def test_location_is_documented(app: FastAPI, resource: Resource) -> None:
    created = app.openapi()["paths"][API_PREFIX + resource.path]["post"]["responses"]["201"]
    assert set(created["headers"]) == {"ETag", "Location"}
    assert created["content"]


@every_resource
async def test_example_does_not_refer_to_itself(app: FastAPI, resource: Resource) -> None:
    document = app.openapi()
    created = document["paths"][API_PREFIX + resource.path]["post"]["responses"]["201"]
    schema = created["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    [example] = document["components"]["schemas"][schema]["examples"]
    referenced = [example[name] for name in resource.references]
    assert example["id"] not in [*referenced, example.get("user_id")]
