"""Slices by limit and offset."""

import pytest

from app.schemas.pages import PageQuery
from tests.support.rows import make_all
from tests.support.samples import RESOURCES
from tests.support.users import UserClient

RESOURCE = RESOURCES[0]
PATH, ROWS = RESOURCE.path, RESOURCE.rows


@pytest.fixture
async def ids(alice: UserClient) -> list[str]:
    """Rows of alice's, newest first."""
    rows = await make_all(alice, RESOURCE)
    return [row["id"] for row in reversed(rows)]


async def test_slices_add_up_to_the_list(alice: UserClient, ids: list[str]) -> None:
    seen = []
    for offset in range(len(ids)):
        response = await alice.get(PATH, params={"limit": 1, "offset": offset})
        seen += [row["id"] for row in response.json()]
    assert seen == ids


async def test_slice_after_the_end_is_empty(alice: UserClient, ids: list[str]) -> None:
    response = await alice.get(PATH, params={"offset": len(ids)})
    assert response.json() == []


async def test_largest_slice(alice: UserClient, ids: list[str]) -> None:
    for offset, found in ((0, ids), (2**31 - 1, [])):
        response = await alice.get(PATH, params={"limit": 1000, "offset": offset})
        assert [row["id"] for row in response.json()] == found
    query = PageQuery(sort="id")
    assert (query.limit, query.offset) == (100, 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", 0), ("limit", 1001), ("limit", "x"), ("offset", -1), ("offset", 2**31)],
)
async def test_rejects_invalid_slices(alice: UserClient, name: str, value: object) -> None:
    response = await alice.get(PATH, params={name: str(value)})
    assert response.status_code == 422
    assert name in response.text
