"""Numbered pages."""

import math

import pytest

from tests.support.cases import each_field
from tests.support.resource import Resource
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


async def test_pages_add_up_to_the_list(alice: UserClient, ids: list[str]) -> None:
    seen = []
    for page in range(1, len(ids) + 1):
        response = await alice.get(PATH, params={"page": page, "page_size": 1})
        assert response.json()["pagination"] == {
            "total": len(ids),
            "page": page,
            "page_size": 1,
            "total_pages": len(ids),
            "has_previous": page > 1,
            "has_next": page < len(ids),
        }
        seen += [row["id"] for row in response.json()["items"]]
    assert seen == ids


async def test_last_page_may_be_short(alice: UserClient, ids: list[str]) -> None:
    for size in range(1, len(ids) + 2):
        answer = (await alice.get(PATH, params={"page_size": size})).json()
        assert [row["id"] for row in answer["items"]] == ids[:size]
        assert answer["pagination"]["total_pages"] == math.ceil(len(ids) / size)
        assert answer["pagination"]["has_next"] is (size < len(ids))


@pytest.mark.parametrize("page", [2, 3])
async def test_page_after_the_last_is_empty(alice: UserClient, ids: list[str], page: int) -> None:
    response = await alice.get(PATH, params={"page": page, "page_size": len(ids)})
    assert response.json() == {
        "items": [],
        "pagination": {
            "total": len(ids),
            "page": page,
            "page_size": len(ids),
            "total_pages": 1,
            "has_previous": True,
            "has_next": False,
        },
    }


@each_field(lambda resource: resource.filterable)
async def test_total_counts_the_filtered_rows(
    alice: UserClient, resource: Resource, name: str
) -> None:
    rows = await make_all(alice, resource)
    same = [row["id"] for row in rows if row[name] == rows[0][name]]
    params = {name: rows[0][name], "page_size": 1}
    answer = (await alice.get(resource.path, params=params)).json()
    assert answer["pagination"]["total"] == len(same)


async def test_empty_list_has_no_pages(alice: UserClient) -> None:
    pagination = (await alice.get(PATH)).json()["pagination"]
    assert pagination["total"] == 0
    assert pagination["total_pages"] == 0
    assert pagination["page_size"] == 20
    assert not pagination["has_next"]


async def test_largest_page(alice: UserClient, ids: list[str]) -> None:
    for number, found in ((1, ids), (10**9, [])):
        response = await alice.get(PATH, params={"page": number, "page_size": 100})
        assert [row["id"] for row in response.json()["items"]] == found


@pytest.mark.parametrize(
    ("name", "value"),
    [("page", 0), ("page", "x"), ("page", 10**9 + 1), ("page_size", 0), ("page_size", 101)],
)
async def test_rejects_invalid_pages(alice: UserClient, name: str, value: object) -> None:
    response = await alice.get(PATH, params={name: str(value)})
    assert response.status_code == 422
    assert name in response.text
