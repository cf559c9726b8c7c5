"""Entity tags of rows: responses that are not sent twice, and changes that are not lost."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import Response

from app import API_PREFIX
from tests.support.api import FOREIGN_STATUS, UPDATE_METHODS
from tests.support.cases import each_resource_where, each_resource_with, every_resource
from tests.support.error_shape import error_of
from tests.support.resource import Resource
from tests.support.rows import make, stored
from tests.support.users import UserClient

OTHER = '"0"'
WRITERS = 16
ROUNDS = 2

each_changeable = each_resource_where(
    lambda resource: resource.rows > 1 and resource.body(0) != resource.body(1)
)
each_owned_resource = each_resource_where(lambda resource: resource.owned)


async def read(user: UserClient, path: str, **headers: str) -> Response:
    """Send GET, with the headers of a conditional request."""
    return await user.get(path, headers={name.replace("_", "-"): headers[name] for name in headers})


async def tag_of(user: UserClient, path: str) -> str:
    """Return the current entity tag of a row."""
    tag: str = (await user.get(path)).headers["ETag"]
    return tag


@every_resource
async def test_tag_is_strong_and_stays(alice: UserClient, resource: Resource) -> None:
    row = await make(alice, resource)
    path = resource.row(row)
    tag = await tag_of(alice, path)
    assert tag.startswith('"')
    assert tag == await tag_of(alice, path)
    assert tag == (await alice.http.head(alice.url(path))).headers["ETag"]
    assert tag == (await alice.update(path, json={})).headers["ETag"]


@each_changeable
async def test_tag_changes_with_the_row(alice: UserClient, resource: Resource) -> None:
    row = await make(alice, resource)
    path = resource.row(row)
    old = await tag_of(alice, path)
    changed = await alice.update(path, json=resource.body(1))
    assert changed.headers["ETag"] != old
    assert changed.headers["ETag"] == await tag_of(alice, path)


@every_resource
async def test_lists_have_no_tag(alice: UserClient, resource: Resource) -> None:
    await make(alice, resource)
    assert "ETag" not in (await alice.get(resource.path)).headers


@every_resource
async def test_known_row_is_not_sent(alice: UserClient, resource: Resource) -> None:
    path = resource.row(await make(alice, resource))
    tag = await tag_of(alice, path)
    for sent in (tag, f"W/{tag}", f"{OTHER}, {tag}", "*"):
        response = await read(alice, path, If_None_Match=sent)
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["ETag"] == tag
    for sent in (OTHER, tag.strip('"'), tag.upper() + '"', ""):
        assert (await read(alice, path, If_None_Match=sent)).status_code == 200


@every_resource
async def test_absent_row_is_absent(alice: UserClient, resource: Resource) -> None:
    assert (await read(alice, resource.absent, If_None_Match="*")).status_code == 404
    for sent in ("*", OTHER):
        headers = {"If-Match": sent}
        response = await alice.update(resource.absent, json={}, headers=headers)
        assert response.status_code == 404
        assert (await alice.delete(resource.absent, headers=headers)).status_code == 404


@each_owned_resource
async def test_row_of_another_user_cannot_be_matched(
    alice: UserClient, bob: UserClient, resource: Resource
) -> None:
    row = await make(alice, resource)
    path = resource.row(row)
    headers = {"If-Match": await tag_of(alice, path)}
    assert (await read(bob, path, If_None_Match="*")).status_code == FOREIGN_STATUS
    response = await bob.update(path, json={}, headers=headers)
    assert response.status_code == FOREIGN_STATUS
    assert (await bob.delete(path, headers=headers)).status_code == FOREIGN_STATUS
    assert await stored(alice, resource, row) == row


@each_changeable
@pytest.mark.parametrize("method", UPDATE_METHODS)
async def test_outdated_update_is_rejected(
    alice: UserClient, resource: Resource, method: str
) -> None:
    row = await make(alice, resource)
    path = resource.row(row)
    old = await tag_of(alice, path)

    async def update(body: dict[str, Any], if_match: str) -> Response:
        headers = {"If-Match": if_match}
        return await alice.http.request(method, alice.url(path), json=body, headers=headers)

    changed = await update(resource.body(1), f"{OTHER}, {old}")
    assert changed.status_code == 200
    for sent in (old, OTHER, f"W/{changed.headers['ETag']}", "x", ""):
        error_of(await update(resource.body(0), sent), 412, "PRECONDITION_FAILED")
    assert await stored(alice, resource, row) == changed.json()
    assert (await update(resource.body(0), "*")).status_code == 200


@every_resource
async def test_outdated_deletion_is_rejected(alice: UserClient, resource: Resource) -> None:
    row = await make(alice, resource)
    path = resource.row(row)
    response = await alice.delete(path, headers={"If-Match": OTHER})
    error_of(response, 412, "PRECONDITION_FAILED")
    assert await stored(alice, resource, row) == row
    deleted = await alice.delete(path, headers={"If-Match": await tag_of(alice, path)})
    assert deleted.status_code == 204


@each_resource_with("complete")
async def test_outdated_completion_is_rejected(alice: UserClient, resource: Resource) -> None:
    row = await make(alice, resource)
    url = alice.url(f"{resource.row(row)}/complete")
    response = await alice.http.patch(url, headers={"If-Match": OTHER})
    error_of(response, 412, "PRECONDITION_FAILED")
    assert await stored(alice, resource, row) == row
    headers = {"If-Match": await tag_of(alice, resource.row(row))}
    assert (await alice.http.patch(url, headers=headers)).status_code == 200


@each_changeable
async def test_one_of_many_writers_wins(alice: UserClient, resource: Resource) -> None:
    row = await make(alice, resource)
    path = resource.row(row)
    # Open the connections first, so that the writers meet.
    await asyncio.gather(*(alice.get(path) for _ in range(WRITERS)))
    for attempt in range(ROUNDS):
        headers = {"If-Match": await tag_of(alice, path)}
        body = resource.body((attempt + 1) % 2)
        writes = (alice.update(path, json=body, headers=headers) for _ in range(WRITERS))
        statuses = [response.status_code for response in await asyncio.gather(*writes)]
        assert sorted(statuses) == [200] + [412] * (WRITERS - 1)


@every_resource
async def test_tags_are_documented(app: FastAPI, resource: Resource) -> None:
    paths = app.openapi()["paths"]
    collection = paths[API_PREFIX + resource.path]
    [path] = [
        path
        for path in paths
        if path.startswith(f"{API_PREFIX}{resource.path}/{{") and path.endswith("_id}")
    ]
    row = paths[path]
    assert "ETag" in collection["post"]["responses"]["201"]["headers"]
    assert "headers" not in collection["get"]["responses"]["200"]
    assert "ETag" in row["get"]["responses"]["304"]["headers"]
    for method in (*map(str.lower, UPDATE_METHODS), "delete"):
        assert "412" in row[method]["responses"]
        names = [parameter["name"] for parameter in row[method]["parameters"]]
        assert "If-Match" in names
