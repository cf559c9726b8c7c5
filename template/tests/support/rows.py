"""Steps of tests on the rows of any resource."""

from typing import Any

from tests.support.lists import rows_of
from tests.support.people import Person
from tests.support.resource import Resource
from tests.support.samples import RESOURCES


def resource_named(name: str) -> Resource:
    """Return a resource by its name."""
    [found] = [resource for resource in RESOURCES if resource.name == name]
    return found


async def references(person: Person, resource: Resource) -> dict[str, Any]:
    """Return the references that a row must have, to rows of the same user."""
    return {
        name: await any_id(person, resource_named(reference.target))
        for name, reference in resource.references.items()
        if not reference.nullable
    }


async def full_body(person: Person, resource: Resource, number: int = 0) -> dict[str, Any]:
    """Return a valid body, with the references that a row must have."""
    return resource.body(number) | await references(person, resource)


async def make(
    person: Person, resource: Resource, number: int = 0, /, **changes: Any
) -> dict[str, Any]:
    """Create a row."""
    sent = await full_body(person, resource, number) | changes
    response = await person.post(resource.path, json=sent)
    assert response.status_code == 201, response.text
    row: dict[str, Any] = response.json()
    return row


async def make_all(person: Person, resource: Resource, first: int = 0) -> list[dict[str, Any]]:
    """Create as many rows as can differ, from a number on."""
    return [await make(person, resource, number) for number in range(first, resource.rows)]


async def any_id(person: Person, resource: Resource) -> Any:
    """Return the id of a row of the user, which is created if there is none."""
    rows = await listed(person, resource.path)
    return rows[0]["id"] if rows else (await make(person, resource))["id"]


async def stored(person: Person, resource: Resource, row: dict[str, Any]) -> Any:
    """Return a row as it is stored now."""
    response = await person.get(resource.row(row))
    assert response.status_code == 200, response.text
    return response.json()


async def listed(person: Person, path: str, /, **params: Any) -> list[Any]:
    """Return the rows of a list."""
    response = await person.get(path, params=params)
    assert response.status_code == 200, response.text
    return rows_of(response)


async def listed_ids(person: Person, path: str, /, **params: Any) -> list[Any]:
    """Return the ids of the rows of a list."""
    return [row["id"] for row in await listed(person, path, **params)]
