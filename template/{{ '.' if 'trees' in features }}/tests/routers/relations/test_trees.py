"""References to rows of the same table: no row is above itself, however it is asked for."""

from asyncio import gather
from typing import Any

import pytest
from sqlmodel import SQLModel

from app.db.database import Database
from tests.routers.relations.steps import current, references_of
from tests.routers.relations.table import LINKS, REFERENCES, Relation
from tests.support.api import ABSENT_ID, UPDATE_METHODS
from tests.support.rows import any_id, make
from tests.support.users import UserClient

TREES = [relation for relation in REFERENCES if relation.source is relation.target]

every_tree = pytest.mark.parametrize("relation", TREES, ids=str)
every_verb = pytest.mark.parametrize("verb", UPDATE_METHODS)


async def branch(user: UserClient, relation: Relation) -> list[dict[str, Any]]:
    """Add rows, each below the one before it."""
    rows: list[dict[str, Any]] = []
    for number in range(min(3, relation.source.rows)):
        above = {relation.key: rows[-1]["id"]} if rows else {}
        rows.append(await make(user, relation.source, number, **above))
    return rows


async def move(
    user: UserClient,
    relation: Relation,
    row: dict[str, Any],
    above: Any,
    verb: str = UPDATE_METHODS[0],
) -> int:
    """Ask for a row to be below another, and return the status of the answer."""
    url = user.url(f"{relation.source.path}/{row['id']}")
    response = await user.http.request(verb, url, json={relation.key: above})
    if response.status_code == 200:
        assert response.json()[relation.key] == above
    else:
        assert relation.key in response.text
    return response.status_code


@every_tree
@every_verb
async def test_nothing_is_above_itself(alice: UserClient, relation: Relation, verb: str) -> None:
    rows = await branch(alice, relation)
    for position, row in enumerate(rows):
        for below in rows[position:]:
            assert await move(alice, relation, row, below["id"], verb) == 422
    assert [await current(alice, relation, row) for row in rows] == rows


@every_tree
async def test_a_refused_move_changes_nothing_else(alice: UserClient, relation: Relation) -> None:
    rows = await branch(alice, relation)
    change = {**relation.source.body(0), relation.key: rows[-1]["id"]}
    response = await alice.update(f"{relation.source.path}/{rows[0]['id']}", json=change)
    assert response.status_code == 422
    assert await current(alice, relation, rows[0]) == rows[0]


@every_tree
async def test_a_reference_to_nothing_is_no_ring(alice: UserClient, relation: Relation) -> None:
    rows = await branch(alice, relation)
    path = f"{relation.source.path}/{rows[0]['id']}"
    absent = await alice.update(path, json={relation.key: ABSENT_ID})
    ring = await alice.update(path, json={relation.key: rows[0]["id"]})
    assert absent.status_code == ring.status_code == 422
    assert "no such row" in absent.text
    assert "its own ancestor" in ring.text


@every_tree
@every_verb
async def test_rows_move_to_other_branches(
    alice: UserClient, relation: Relation, verb: str
) -> None:
    top, *below = await branch(alice, relation)
    leaf = below[-1]
    assert await move(alice, relation, below[0], None, verb) == 200
    assert await move(alice, relation, leaf, None, verb) == 200
    assert await move(alice, relation, top, leaf["id"], verb) == 200
    assert await move(alice, relation, leaf, top["id"], verb) == 422


@every_tree
async def test_branches_move_as_a_whole(alice: UserClient, relation: Relation) -> None:
    top, *below = await branch(alice, relation)
    assert await move(alice, relation, below[0], None) == 200
    assert await move(alice, relation, below[0], top["id"]) == 200
    left = [await current(alice, relation, row) for row in below[1:]]
    assert left == below[1:]


@every_tree
async def test_rows_move_with_their_links(alice: UserClient, relation: Relation) -> None:
    top, *_, leaf = await branch(alice, relation)
    path = f"{relation.source.path}/{leaf['id']}"
    for links in (one for one in LINKS if one.source is relation.source):
        target = await any_id(alice, links.target)
        for above, ids in ((None, []), (top["id"], [target])):
            sent = {relation.key: above, links.key: ids}
            moved = await alice.update(path, json=sent)
            assert moved.status_code == 200, moved.text
            assert {name: moved.json()[name] for name in sent} == sent
        refused = await alice.update(path, json={relation.key: leaf["id"], links.key: []})
        assert refused.status_code == 422
        assert await current(alice, relation, leaf) == moved.json()


@every_tree
async def test_what_stays_lets_nothing_else_in(alice: UserClient, relation: Relation) -> None:
    leaf = (await branch(alice, relation))[-1]
    path = f"{relation.source.path}/{leaf['id']}"
    before = await current(alice, relation, leaf)
    for other in REFERENCES:
        if other.source is relation.source and other is not relation:
            sent = {relation.key: before[relation.key], other.key: ABSENT_ID}
            response = await alice.update(path, json=sent)
            assert response.status_code == 422
            assert other.key in response.text
    assert await current(alice, relation, leaf) == before


@every_tree
async def test_references_of_other_names_are_other_trees(
    alice: UserClient, relation: Relation
) -> None:
    top, *_, leaf = await branch(alice, relation)
    for other in TREES:
        if other.source is relation.source and other is not relation:
            assert await move(alice, other, top, leaf["id"]) == 200
            assert await move(alice, other, leaf, top["id"]) == 422


@every_tree
async def test_what_stays_is_taken(alice: UserClient, relation: Relation) -> None:
    for row in await branch(alice, relation):
        same = {name: row[name] for name in relation.source.body(0)} | references_of(relation, row)
        response = await alice.update(f"{relation.source.path}/{row['id']}", json=same)
        assert response.status_code == 200
        assert response.json()[relation.key] == row[relation.key]


@every_tree
async def test_a_ring_that_is_stored_can_stay_or_go(
    alice: UserClient, database: Database, relation: Relation
) -> None:
    top, *_, leaf = await branch(alice, relation)
    name = relation.source.path.rpartition("/")[2].replace("-", "_")
    table = SQLModel.metadata.tables[name]
    to_id = table.c.id.type.python_type
    ring = table.update().where(table.c.id == to_id(top["id"]))
    async with database.transaction() as connection:
        await connection.execute(ring.values({relation.key: to_id(leaf["id"])}))
    assert await move(alice, relation, top, leaf["id"]) == 200
    same = {relation.key: leaf["id"]}
    for other in [*TREES, *LINKS]:
        if other.source is relation.source and other is not relation:
            change = same | {other.key: leaf["id"] if other in TREES else []}
            response = await alice.update(f"{relation.source.path}/{top['id']}", json=change)
            assert response.status_code == 200, response.text
    assert await move(alice, relation, top, top["id"]) == 422
    assert await move(alice, relation, top, None) == 200


@every_tree
async def test_nothing_new_refers_to_itself(alice: UserClient, relation: Relation) -> None:
    row = await make(alice, relation.source)
    path = relation.source.path
    # Numbers can be guessed: this would be the next one.
    guess = row["id"] + 1 if isinstance(row["id"], int) else ABSENT_ID
    sent = references_of(relation, row) | relation.source.body(1) | {relation.key: guess}
    answers = [await alice.post(path, json=sent)]
    if relation.bulk:
        answers.append(await alice.post(f"{path}/bulk", json=[sent]))
    for response in answers:
        assert response.status_code == 422
        assert "no such row" in response.text


@every_tree
async def test_two_moves_at_once_make_no_ring(alice: UserClient, relation: Relation) -> None:
    first, second = [await make(alice, relation.source, number) for number in range(2)]
    for _ in range(5):
        answers = await gather(
            move(alice, relation, first, second["id"]), move(alice, relation, second, first["id"])
        )
        assert sorted(answers) == [200, 422]
        for row in (first, second):
            assert await move(alice, relation, row, None) == 200
