"""Deleting rows of every resource."""

from tests.support.cases import every_resource
from tests.support.resource import Resource
from tests.support.rows import listed_ids, make, make_all
from tests.support.users import UserClient


@every_resource
async def test_deletes_the_row_and_no_other(alice: UserClient, resource: Resource) -> None:
    row = await make(alice, resource)
    others = [other["id"] for other in await make_all(alice, resource, 1)]
    response = await alice.delete(resource.row(row))
    assert response.status_code == 204
    assert response.content == b""
    assert (await alice.get(resource.row(row))).status_code == 404
    assert await listed_ids(alice, resource.path) == others[::-1]


@every_resource
async def test_missing_row_is_not_found(alice: UserClient, resource: Resource) -> None:
    assert (await alice.delete(resource.absent)).status_code == 404
