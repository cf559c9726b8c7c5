"""Paths that name a user: they are for that user alone."""

import pytest

from tests.support.api import ABSENT_ID
from tests.support.cases import each_resource_where
from tests.support.resource import Resource
from tests.support.rows import listed
from tests.support.users import UserClient

each_owned_resource = each_resource_where(lambda resource: resource.owned)


@each_owned_resource
@pytest.mark.parametrize("path", ["", f"/{ABSENT_ID}", "/no-id"])
async def test_path_of_another_user_is_forbidden(
    alice: UserClient, bob: UserClient, resource: Resource, path: str
) -> None:
    response = await bob.http.get(alice.url(resource.path + path))
    assert response.status_code == 403
    response = await bob.http.post(alice.url(resource.path), json={"unknown": 1})
    assert response.status_code == 403
    assert await listed(alice, resource.path) == []


@each_owned_resource
async def test_similar_id_is_forbidden(alice: UserClient, resource: Resource) -> None:
    for other in {f"0{alice.user_id}", alice.user_id.swapcase()} - {alice.user_id}:
        response = await alice.http.get(alice.url(resource.path, user_id=other))
        assert response.status_code == 403


@each_owned_resource
async def test_error_gives_the_reason(
    alice: UserClient, bob: UserClient, resource: Resource
) -> None:
    response = await bob.http.get(alice.url(resource.path))
    assert "This belongs to another user." in response.text
