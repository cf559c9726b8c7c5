"""Pages by cursor."""

import base64
import json
from typing import Any, Literal, cast

import pytest
from pydantic import MISSING
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine

from app.db.filters import Shape
from app.db.pagination import _after
from app.db.sorting import sort_keys
from app.models.row import Row
from app.schemas.lists import Equals
from app.schemas.pages import PageQuery
from tests.support.rows import make, make_all
from tests.support.samples import RESOURCES
from tests.support.users import UserClient

RESOURCE = RESOURCES[0]
PATH, ROWS = RESOURCE.path, RESOURCE.rows
SORTABLE = ["id", *RESOURCE.filterable]


@pytest.fixture
async def ids(alice: UserClient) -> list[str]:
    """Rows of alice's, newest first."""
    rows = await make_all(alice, RESOURCE)
    return [row["id"] for row in reversed(rows)]


async def page(user: UserClient, **params: Any) -> tuple[list[Any], str | None]:
    """Return the ids of a page, and the cursor of the next."""
    response = await user.get(PATH, params=params)
    assert response.status_code == 200, response.text
    return [row["id"] for row in response.json()["items"]], response.json()["next_cursor"]


async def walk(user: UserClient, limit: int = 1, **params: Any) -> list[Any]:
    """Return the ids of all pages."""
    found, cursor = await page(user, limit=limit, **params)
    while cursor and len(found) < ROWS:
        more, cursor = await page(user, limit=limit, cursor=cursor, **params)
        found += more
    return found


async def test_pages_add_up_to_the_list(alice: UserClient, ids: list[str]) -> None:
    assert await walk(alice) == ids
    assert await walk(alice, limit=2) == ids
    assert await walk(alice, sort="id") == ids[::-1]
    assert await page(alice, limit=len(ids)) == (ids, None)


@pytest.mark.parametrize("name", SORTABLE)
async def test_pages_by_any_order_add_up(alice: UserClient, ids: list[str], name: str) -> None:
    if RESOURCE.omitted.get(name, "") is None:
        for row_id in ids[::2]:
            await alice.update(f"{PATH}/{row_id}", json={name: None})
    by_id = () if name == "id" else (f"{name},-id", f"-{name},id")
    for sort in (name, f"-{name}", *by_id):
        everything, _ = await page(alice, sort=sort)
        assert sorted(everything) == sorted(ids)
        assert await walk(alice, sort=sort) == everything


# `gone` and `lost` are no longer choices.
LEVELS = [None, "low", "gone", "high", None, "lost", "medium", "low", "gone", "high"]


class NoteQuery(PageQuery):
    """Filters and order of notes."""

    level: Equals[Literal["low", "medium", "high"]] = MISSING


@pytest.mark.parametrize("nullable", [True, False])
@pytest.mark.parametrize("sort", ["level", "-level", "level,-id", "-level,id", "size,level", "-id"])
def test_condition_for_the_rows_after_a_row(sort: str, nullable: bool) -> None:
    notes = Table(
        "notes",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("size", Integer, nullable=False),
        Column("level", String, nullable=nullable),
    )
    levels = [level for level in LEVELS if level or nullable]
    engine = create_engine("sqlite://")
    note = cast("type[Row]", type("Note", (), {"__table__": notes}))
    keys = sort_keys(note, Shape(NoteQuery, (), sort))
    everything = notes.select().order_by(*(key.clause() for key in keys))
    with engine.begin() as connection:
        notes.create(connection)
        rows = [{"size": number % 2, "level": level} for number, level in enumerate(levels)]
        connection.execute(notes.insert(), rows)
        found = connection.execute(everything).mappings().all()
        assert len(found) == len(levels)
        for number, row in enumerate(found, 1):
            position = [row[key.column.name] for key in keys]
            statement = everything.where(_after(keys, [value is None for value in position]))
            terms = (key.term_of(value) for key, value in zip(keys, position, strict=True))
            values = {f"_after_{n}": term for n, term in enumerate(terms)}
            rest = connection.execute(statement, values).mappings().all()
            assert rest == found[number:]
    engine.dispose()


async def test_pages_of_a_filtered_list_add_up(alice: UserClient, ids: list[str]) -> None:
    for name in SORTABLE[1:]:
        value = (await alice.get(f"{PATH}/{ids[0]}")).json()[name]
        # The newest and the oldest have the same, unless it must be unique.
        await alice.update(f"{PATH}/{ids[-1]}", json={name: value})
        everything, _ = await page(alice, **{name: value})
        assert await walk(alice, **{name: value}) == everything


async def test_cursor_keeps_its_position(alice: UserClient, ids: list[str]) -> None:
    _, cursor = await page(alice, limit=1)
    await alice.delete(f"{PATH}/{ids[0]}")
    await make(alice, RESOURCE, ROWS - 1)
    rest, _ = await page(alice, cursor=cursor) if cursor else ([], None)
    assert rest == ids[1:]


async def test_rejects_the_cursor_of_another_list(alice: UserClient, ids: list[str]) -> None:
    row = (await alice.get(f"{PATH}/{ids[0]}")).json()
    _, cursor = await page(alice, limit=1, sort="id")
    assert (cursor is None) is (ROWS == 1)
    filtered = ({"sort": "id", name: row[name]} for name in SORTABLE[1:])
    for params in ({"sort": "-id"}, *filtered) if cursor else ():
        response = await alice.get(PATH, params={**params, "cursor": cursor})
        assert response.status_code == 422
        assert "another order" in response.text


async def test_largest_page(alice: UserClient, ids: list[str]) -> None:
    assert await page(alice, limit=100) == (ids, None)
    assert PageQuery(sort="id").limit == 20


@pytest.mark.parametrize("limit", ["0", "101", "x"])
async def test_rejects_invalid_limits(alice: UserClient, limit: str) -> None:
    response = await alice.get(PATH, params={"limit": limit})
    assert response.status_code == 422
    assert "limit" in response.text


def encoded(content: bytes) -> str:
    """Encode content as cursors are encoded."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def forged(**parts: Any) -> str:
    """Return a cursor with this content."""
    return encoded(json.dumps(parts).encode())


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "A" * 20_001,
        forged(),
        forged(list_id="x", values=[]),
        forged(list_id="x", values=[None, None]),
        forged(list_id="x", values=["2030-01-01T00:00:00Z", 2**64]),
        encoded(b"[" * 10_000),
        encoded(b"\xff"),
    ],
)
async def test_rejects_invalid_cursors(alice: UserClient, cursor: str) -> None:
    response = await alice.get(PATH, params={"cursor": cursor})
    assert response.status_code == 422
    assert "cursor" in response.text


@pytest.mark.parametrize("change", [[], ["x"], [None]])
async def test_rejects_a_cursor_with_other_values(
    alice: UserClient, ids: list[str], change: list[Any]
) -> None:
    _, cursor = await page(alice, limit=1)
    assert (cursor is None) is (ROWS == 1)
    if cursor:
        content = json.loads(base64.urlsafe_b64decode(f"{cursor}=="))
        for values in (change, [*content["values"], *change, 1], change * len(content["values"])):
            changed = forged(list_id=content["list_id"], values=values)
            response = await alice.get(PATH, params={"cursor": changed})
            assert response.status_code == 422
            assert "cursor" in response.text


@pytest.mark.parametrize("name", SORTABLE[1:])
async def test_cursor_of_another_order_has_its_own_message(
    alice: UserClient, ids: list[str], name: str
) -> None:
    _, cursor = await page(alice, limit=1, sort="id")
    assert (cursor is None) is (len(ids) == 1)
    for sort in (name, f"-{name}", f"{name},id") if cursor else ():
        response = await alice.get(PATH, params={"sort": sort, "cursor": cursor})
        assert response.status_code == 422
        assert "another order" in response.text
