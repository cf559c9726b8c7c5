"""Searching text fields."""

import pytest

from tests.support.cases import each_field, each_resource_with
from tests.support.resource import Resource
from tests.support.rows import listed_ids, make
from tests.support.users import UserClient


@pytest.fixture(params=[None, 3], ids=["by reading", "by index"], autouse=True)
def indexed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Search with the statements for a database without and with an index."""
    monkeypatch.setattr("app.db.search.INDEXED_LENGTH", request.param)


async def found(user: UserClient, resource: Resource, query: str) -> list[str]:
    """Return the ids of the rows that a search finds."""
    return await listed_ids(user, f"{resource.path}/search", query=query[:200])


@each_field(lambda resource: resource.searched)
async def test_ignores_case(
    alice: UserClient, bob: UserClient, resource: Resource, name: str
) -> None:
    last = resource.body(resource.rows - 1)
    others = {other: last[other] for other in resource.searched if other != name}
    row = await make(alice, resource, **others)
    text = row[name]
    for query in (text, text.lower(), text.upper(), text[-1:]):
        assert await found(alice, resource, query) == [row["id"]]
    assert await found(bob, resource, text) == ([] if resource.owned else [row["id"]])


@each_resource_with("search")
@pytest.mark.parametrize("query", ["%", "_", "\\", "%%%", "___", "\\" * 3, "e_", "x" * 200])
async def test_has_no_wildcards(alice: UserClient, resource: Resource, query: str) -> None:
    await make(alice, resource)
    assert await found(alice, resource, query) == []


@each_resource_with("search")
async def test_rejects_a_repeated_query(alice: UserClient, resource: Resource) -> None:
    params = [("query", "a"), ("query", "a")]
    assert (await alice.get(f"{resource.path}/search", params=params)).status_code == 422


@each_resource_with("search")
@pytest.mark.parametrize("params", [{}, {"query": ""}, {"query": "x" * 201}, {"query": "\x00"}])
async def test_rejects_an_invalid_query(
    alice: UserClient, resource: Resource, params: dict[str, str]
) -> None:
    assert (await alice.get(f"{resource.path}/search", params=params)).status_code == 422


@each_field(lambda resource: resource.letters)
async def test_ignores_case_beyond_ascii(alice: UserClient, resource: Resource, name: str) -> None:
    row = await make(alice, resource, **{name: "Äußerst ЁЖ"})
    for query in ("äuß", "ёж", "ÄU", "Ёж"):
        assert await found(alice, resource, query) == [row["id"]]
