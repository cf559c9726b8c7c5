"""Rows with the rows that they refer to: `?expand=`."""

from typing import Any
from unittest import mock

import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter
from sqlalchemy import update
from sqlmodel import SQLModel

from app import API_PREFIX
from app.db.database import Database
from app.db.prepared import prepare
from app.models.row import Id
from tests.routers.relations.steps import pair
from tests.routers.relations.table import REFERENCES, Relation
from tests.support.api import FOREIGN_STATUS
from tests.support.error_shape import error_of
from tests.support.resource import Resource
from tests.support.rows import any_id, make, stored
from tests.support.samples import RESOURCES
from tests.support.users import UserClient

ID: TypeAdapter[Id] = TypeAdapter(Id)

every_reference = pytest.mark.parametrize("relation", REFERENCES, ids=str)
each_referring = pytest.mark.parametrize(
    "resource", [resource for resource in RESOURCES if resource.references], ids=str
)


def names_of(resource: Resource) -> list[str]:
    """Return the names of the references of a resource."""
    return [key.removesuffix("_id") for key in resource.references]


async def expanded(user: UserClient, resource: Resource, row: Any, *names: str) -> Any:
    """Return a row with rows that it refers to."""
    response = await user.get(resource.row(row), params={"expand": ",".join(names)})
    assert response.status_code == 200, response.text
    return response.json()


@every_reference
async def test_row_is_added(alice: UserClient, relation: Relation) -> None:
    row, target = await pair(alice, relation)
    name = relation.key.removesuffix("_id")
    found = await expanded(alice, relation.source, row, name)
    other = await stored(alice, relation.target, {"id": target})
    assert found == await stored(alice, relation.source, row) | {name: other}


@each_referring
async def test_all_rows_are_added_by_one_statement(alice: UserClient, resource: Resource) -> None:
    row = await make(alice, resource)
    # Each statement is looked up there.
    with mock.patch("app.db.database.prepare", wraps=prepare) as statements:
        found = await expanded(alice, resource, row, *names_of(resource), *names_of(resource))
    assert statements.call_count == 1
    for name in names_of(resource):
        assert (found[name] is None) == (row[f"{name}_id"] is None)
        assert found[name] is None or found[name]["id"] == row[f"{name}_id"]


@each_referring
async def test_rows_are_added_on_request_only(alice: UserClient, resource: Resource) -> None:
    row = await make(alice, resource)
    assert await stored(alice, resource, row) == row
    first, *others = names_of(resource)
    assert set(await expanded(alice, resource, row, first)) - set(row) == {first}
    assert not set(others) & set(row)


@each_referring
@pytest.mark.parametrize("names", ["unknown", "{0}_id", "{0},unknown", "{0},", ",", "", "{0} "])
async def test_unknown_names_are_rejected(
    alice: UserClient, resource: Resource, names: str
) -> None:
    row = await make(alice, resource)
    params = {"expand": names.format(*names_of(resource))}
    response = await alice.get(resource.row(row), params=params)
    assert set(error_of(response, 422, "VALIDATION_ERROR")) == {"expand"}


@every_reference
async def test_rows_of_other_users_are_never_added(
    alice: UserClient, bob: UserClient, database: Database, relation: Relation
) -> None:
    row, _ = await pair(alice, relation)
    name = relation.key.removesuffix("_id")
    if not relation.source.owned or not relation.target.owned:
        found = await expanded(alice, relation.source, row, name)
        assert found[name]["id"] == row[relation.key]
        return
    # No request can do this.
    table = SQLModel.metadata.tables[relation.source.path.rpartition("/")[2].replace("-", "_")]
    own, foreign = map(ID.validate_python, (row["id"], await any_id(bob, relation.target)))
    changed = update(table).where(table.c.id == own).values({relation.key: foreign})
    await database.execute(changed)
    assert (await expanded(alice, relation.source, row, name))[name] is None


@each_referring
async def test_row_of_another_user_is_not_expanded(
    alice: UserClient, bob: UserClient, resource: Resource
) -> None:
    row = await make(alice, resource)
    params = {"expand": names_of(resource)[0]}
    expected = FOREIGN_STATUS if resource.owned else 200
    assert (await bob.get(resource.row(row), params=params)).status_code == expected


@each_referring
async def test_expanded_rows_have_no_tag(alice: UserClient, resource: Resource) -> None:
    row = await make(alice, resource)
    response = await alice.get(resource.row(row), params={"expand": names_of(resource)[0]})
    assert "ETag" not in response.headers
    headers = {"If-None-Match": "*"}
    params = {"expand": names_of(resource)[0]}
    again = await alice.get(resource.row(row), params=params, headers=headers)
    assert again.status_code == 200


@each_referring
async def test_added_rows_are_documented(app: FastAPI, resource: Resource) -> None:
    document = app.openapi()
    [path] = [
        path
        for path in document["paths"]
        if path.startswith(f"{API_PREFIX}{resource.path}/{{") and path.endswith("_id}")
    ]
    operation = document["paths"][path]["get"]
    [parameter] = [one for one in operation["parameters"] if one["name"] == "expand"]
    assert not parameter["required"]
    reference = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    assert set(names_of(resource)) <= set(schema["properties"])
    assert not set(names_of(resource)) & set(schema["required"])
