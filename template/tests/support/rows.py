"""Helpers that create and read rows of any resource."""

from typing import Any

from tests.support.lists import rows_of
from tests.support.resource import Resource
from tests.support.samples import RESOURCES
from tests.support.users import UserClient


def resource_named(name: str) -> Resource:
    """Return a resource by its name."""
    [found] = [resource for resource in RESOURCES if resource.name == name]
    return found


async def references(user: UserClient, resource: Resource) -> dict[str, Any]:
    """Return the required references of a row, to rows of the same user."""
    return {
        name: await any_id(user, resource_named(reference.target))
        for name, reference in resource.references.items()
        if not reference.nullable
    }


async def full_body(user: UserClient, resource: Resource, number: int = 0) -> dict[str, Any]:
    """Return a valid body with the required references."""
    return resource.body(number) | await references(user, resource)


async def make(
    user: UserClient, resource: Resource, number: int = 0, /, **changes: Any
) -> dict[str, Any]:
    """Create a row."""
    sent = await full_body(user, resource, number) | changes
    response = await user.post(resource.path, json=sent)
    assert response.status_code == 201, response.text
    row: dict[str, Any] = response.json()
    return row


async def make_all(user: UserClient, resource: Resource, first: int = 0) -> list[dict[str, Any]]:
    """Create the rows that differ in unique fields, from number `first` on."""
    return [await make(user, resource, number) for number in range(first, resource.rows)]


async def any_id(user: UserClient, resource: Resource) -> Any:
    """Return the id of a row of the user; create one if there is none."""
    rows = await listed(user, resource.path)
    return rows[0]["id"] if rows else (await make(user, resource))["id"]


async def stored(user: UserClient, resource: Resource, row: dict[str, Any]) -> Any:
    """Return the current state of a row."""
    response = await user.get(resource.row(row))
    assert response.status_code == 200, response.text
    return response.json()


async def listed(user: UserClient, path: str, /, **params: Any) -> list[Any]:
    """Return the rows of a list."""
    response = await user.get(path, params=params)
    assert response.status_code == 200, response.text
    return rows_of(response)


async def listed_ids(user: UserClient, path: str, /, **params: Any) -> list[Any]:
    """Return the ids of the rows of a list."""
    return [row["id"] for row in await listed(user, path, **params)]
