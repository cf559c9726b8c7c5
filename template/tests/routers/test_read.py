"""Reading one row of every resource."""

from tests.support.cases import every_resource
from tests.support.resource import Resource
from tests.support.rows import make, stored
from tests.support.users import UserClient


@every_resource
async def test_returns_the_row(alice: UserClient, resource: Resource) -> None:
    row = await make(alice, resource)
    assert await stored(alice, resource, row) == row


@every_resource
async def test_missing_row_is_not_found(alice: UserClient, resource: Resource) -> None:
    assert (await alice.get(resource.absent)).status_code == 404


@every_resource
async def test_head_returns_the_headers_alone(alice: UserClient, resource: Resource) -> None:
    row = await make(alice, resource)
    for path in (resource.path, resource.row(row), resource.absent):
        response = await alice.get(path)
        head = await alice.http.head(alice.url(path))
        assert (head.status_code, head.content) == (response.status_code, b"")
        assert head.headers.keys() == response.headers.keys()
        if head.is_success:
            assert head.headers["Content-Length"] == str(len(response.content))


@every_resource
async def test_rejects_an_invalid_id(alice: UserClient, resource: Resource) -> None:
    assert (await alice.get(f"{resource.path}/no-id")).status_code == 422
