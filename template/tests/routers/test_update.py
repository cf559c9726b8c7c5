"""Updating rows of every resource."""

from typing import Any

import pytest

from tests.support.api import UPDATE_METHODS
from tests.support.cases import each_field, each_value, every_resource
from tests.support.resource import Resource
from tests.support.rows import make, stored
from tests.support.users import UserClient


@every_resource
async def test_changes_the_fields_sent(alice: UserClient, resource: Resource) -> None:
    row = await make(alice, resource)
    others = [await make(alice, resource, number) for number in range(1, resource.rows - 1)]
    changes = resource.body(resource.rows - 1)
    response = await alice.update(resource.row(row), json=changes)
    assert response.status_code == 200
    changed = response.json()
    assert {name: changed[name] for name in changes} == changes
    assert changed["id"] == row["id"]
    if changes and "updated_at" in resource.ranged:
        assert changed["created_at"] == row["created_at"]
        assert changed["updated_at"] > row["updated_at"]
    assert await stored(alice, resource, row) == changed
    assert [await stored(alice, resource, other) for other in others] == others


@each_field(lambda resource: resource.body(0))
async def test_keeps_the_other_fields(alice: UserClient, resource: Resource, name: str) -> None:
    row = await make(alice, resource)
    changes = {name: resource.body(resource.rows - 1)[name]}
    response = await alice.update(resource.row(row), json=changes)
    assert response.status_code == 200
    changed = response.json()
    assert all(changed[other] == row[other] for other in resource.body(0) if other != name)


@every_resource
async def test_empty_body_changes_nothing(alice: UserClient, resource: Resource) -> None:
    row = await make(alice, resource)
    response = await alice.update(resource.row(row), json={})
    assert response.status_code == 200
    assert response.json() == row


@every_resource
async def test_sets_null_where_that_is_the_default(alice: UserClient, resource: Resource) -> None:
    row = await make(alice, resource)
    nulls = {name: None for name, default in resource.omitted.items() if default is None}
    response = await alice.update(resource.row(row), json=nulls)
    assert response.status_code == 200
    assert {name: response.json()[name] for name in nulls} == nulls


@each_value(lambda resource: [*resource.invalid, ("id", "x"), ("Unknown", "x")])
async def test_rejects_an_invalid_value(
    alice: UserClient, resource: Resource, name: str, value: Any
) -> None:
    row = await make(alice, resource)
    response = await alice.update(resource.row(row), json={name: value})
    assert response.status_code == 422
    assert name in response.text
    assert await stored(alice, resource, row) == row


@every_resource
async def test_missing_row_is_not_found(alice: UserClient, resource: Resource) -> None:
    assert (await alice.update(resource.absent, json={})).status_code == 404
    assert (await alice.update(resource.absent, json=resource.body(0))).status_code == 404


@every_resource
@pytest.mark.parametrize("method", UPDATE_METHODS)
async def test_accepts_a_partial_body(alice: UserClient, resource: Resource, method: str) -> None:
    row = await make(alice, resource)
    changes = dict(list(resource.body(resource.rows - 1).items())[:1])
    response = await alice.http.request(method, alice.url(resource.row(row)), json=changes)
    assert response.status_code == 200
    assert {name: response.json()[name] for name in changes} == changes
