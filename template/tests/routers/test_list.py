"""Lists of every resource: their order and their filters."""

import pytest
from fastapi import FastAPI

from app import API_PREFIX
from tests.support.cases import each_field, every_resource
from tests.support.error_shape import error_of
from tests.support.resource import Resource
from tests.support.rows import listed_ids, make, make_all
from tests.support.users import UserClient


@every_resource
async def test_newest_row_comes_first(alice: UserClient, resource: Resource) -> None:
    ids = [row["id"] for row in await make_all(alice, resource)]
    assert await listed_ids(alice, resource.path) == ids[::-1]


@every_resource
async def test_sorts_by_id(alice: UserClient, resource: Resource) -> None:
    ids = [row["id"] for row in await make_all(alice, resource)]
    assert await listed_ids(alice, resource.path, sort="id") == ids
    assert await listed_ids(alice, resource.path, sort="-id") == ids[::-1]


@each_field(lambda resource: resource.filterable)
async def test_filters_by_a_value(alice: UserClient, resource: Resource, name: str) -> None:
    rows = await make_all(alice, resource)
    same = {row["id"] for row in rows if row[name] == rows[0][name]}
    assert set(await listed_ids(alice, resource.path, **{name: rows[0][name]})) == same


@each_field(lambda resource: resource.ranged)
async def test_filters_by_a_range(alice: UserClient, resource: Resource, name: str) -> None:
    rows = await make_all(alice, resource)
    low, high = rows[0][name], rows[-1][name]
    both = {f"{name}_gte": low, f"{name}_lte": high}
    assert len(await listed_ids(alice, resource.path, **both)) == resource.rows
    assert rows[0]["id"] in await listed_ids(alice, resource.path, **{f"{name}_lte": low})
    assert rows[-1]["id"] in await listed_ids(alice, resource.path, **{f"{name}_gte": high})


@each_field(lambda resource: resource.nullable)
async def test_filters_by_null(alice: UserClient, resource: Resource, name: str) -> None:
    rows = await make_all(alice, resource)
    await alice.update(resource.row(rows[0]), json={name: None})
    nulls = {row["id"] for row in rows[1:] if row[name] is None} | {rows[0]["id"]}
    others = {row["id"] for row in rows} - nulls
    is_null = f"{name}_is_null"
    assert set(await listed_ids(alice, resource.path, **{is_null: "true"})) == nulls
    assert set(await listed_ids(alice, resource.path, **{is_null: "false"})) == others


@each_field(lambda resource: resource.choices)
async def test_sorts_choices_in_their_order(
    alice: UserClient, resource: Resource, name: str
) -> None:
    choices = resource.choices[name]
    values = {}
    for number in range(resource.rows):
        row = await make(alice, resource, number, **{name: choices[number % len(choices)]})
        values[row["id"]] = row[name]
    for sort, order in ((name, choices), (f"-{name}", choices[::-1])):
        found = [values[row_id] for row_id in await listed_ids(alice, resource.path, sort=sort)]
        assert len(found) == resource.rows
        assert found == sorted(found, key=order.index)


@every_resource
@pytest.mark.parametrize(
    "params", [{"Unknown": "1"}, {"sort": "Unknown"}, {"sort": ""}, {"sort": "-"}]
)
async def test_rejects_unknown_parameters(
    alice: UserClient, resource: Resource, params: dict[str, str]
) -> None:
    assert (await alice.get(resource.path, params=params)).status_code == 422


async def test_rejects_repeated_parameters(app: FastAPI, alice: UserClient) -> None:
    lists = {
        path: [each["name"] for each in operations["get"]["parameters"] if each["in"] == "query"]
        for path, operations in app.openapi()["paths"].items()
        if "sort" in str(operations.get("get", {}).get("parameters"))
    }
    assert lists
    for path, names in lists.items():
        url = path.removeprefix(API_PREFIX)
        for name in [*names, "Unknown"]:
            response = await alice.get(url, params=[(name, "x"), ("sort", "id"), (name, "y")])
            assert response.status_code == 422
            assert f'"{name}":"This parameter is sent more than once"' in response.text
            assert response.text.count("more than once") == 1


@every_resource
@pytest.mark.parametrize("sort", ["id,id", "id,-id", "-id,id,id", ",".join(["id"] * 3000)])
async def test_rejects_repeated_columns(alice: UserClient, resource: Resource, sort: str) -> None:
    response = await alice.get(resource.path, params={"sort": sort})
    errors = error_of(response, 422, "VALIDATION_ERROR")
    assert errors == {"sort": "Each column can be named once"}


@every_resource
@pytest.mark.parametrize("sort", ["Unknown", "", "-", "id,", "id,Unknown", "+id", "user_id"])
async def test_unknown_columns_have_a_clear_message(
    alice: UserClient, resource: Resource, sort: str
) -> None:
    response = await alice.get(resource.path, params={"sort": sort})
    errors = error_of(response, 422, "VALIDATION_ERROR")
    message = "Must be sortable columns, comma-separated, each with an optional leading minus"
    assert errors == {"sort": message}
