"""Rows that refer to others, over every route that writes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.routers.relations.steps import current, pair, references_of, value
from tests.routers.relations.table import LINKS, REFERENCES, Relation
from tests.support.api import ABSENT_ID
from tests.support.rows import any_id, listed, make
from tests.support.users import UserClient

RELATIONS = REFERENCES + LINKS

every_relation = pytest.mark.parametrize("relation", RELATIONS, ids=str)


def without_time(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an error without what differs from one to the next."""
    return {name: content for name, content in answer.items() if name != "timestamp"}


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements that run meanwhile."""
    statements: list[str] = []

    def collect(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", collect)
    yield statements
    event.remove(Engine, "before_cursor_execute", collect)


@every_relation
async def test_rows_refer_to_rows(alice: UserClient, relation: Relation) -> None:
    row, target = await pair(alice, relation)
    assert row[relation.key] == value(relation, target)
    assert await current(alice, relation, row) == row


@every_relation
async def test_nobody_refers_to_what_is_not_theirs(
    alice: UserClient, bob: UserClient, relation: Relation
) -> None:
    row, _ = await pair(alice, relation)
    path = relation.source.path
    before = await listed(alice, path)
    answers = []
    for target in (
        [ABSENT_ID, await any_id(bob, relation.target)] if relation.target.owned else [ABSENT_ID]
    ):
        change = {relation.key: value(relation, target)}
        refused = [await alice.update(f"{path}/{row['id']}", json=change)]
        if len(before) < relation.source.rows:
            sent = references_of(relation, row) | relation.source.body(len(before)) | change
            refused.append(await alice.post(path, json=sent))
            if relation.bulk:
                refused.append(await alice.post(f"{path}/bulk", json=[sent]))
        for response in refused:
            assert response.status_code == 422, response.text
            assert relation.key in response.text
        answers.append([without_time(response.json()) for response in refused])
    assert all(answer == answers[0] for answer in answers)
    assert await listed(alice, path) == before


@pytest.mark.parametrize("relation", REFERENCES, ids=str)
async def test_lists_filter_by_reference(alice: UserClient, relation: Relation) -> None:
    row, target = await pair(alice, relation)
    path = relation.source.path
    found = await listed(alice, path, **{relation.key: target})
    assert row["id"] in [one["id"] for one in found]
    assert await listed(alice, path, **{relation.key: ABSENT_ID}) == []
    ordered = await listed(alice, path, sort=relation.key)
    assert ordered[0][relation.key] is not None


@pytest.mark.parametrize("relation", REFERENCES, ids=str)
async def test_references_can_be_taken_back(alice: UserClient, relation: Relation) -> None:
    row, _ = await pair(alice, relation)
    response = await alice.update(f"{relation.source.path}/{row['id']}", json={relation.key: None})
    assert response.status_code == (200 if relation.nullable else 422)
    if relation.nullable:
        assert response.json()[relation.key] is None


@pytest.mark.parametrize("relation", LINKS, ids=str)
async def test_links_are_a_set_in_order(alice: UserClient, relation: Relation) -> None:
    row, _ = await pair(alice, relation)
    path = f"{relation.source.path}/{row['id']}"
    count = len(await listed(alice, relation.target.path))
    for number in range(count, relation.target.rows):
        await make(alice, relation.target, number)
    ids = sorted(target["id"] for target in await listed(alice, relation.target.path))
    for sent in ([*reversed(ids), *ids], ids[:1], [], ids):
        response = await alice.update(path, json={relation.key: sent})
        assert response.status_code == 200
        assert response.json()[relation.key] == sorted(set(sent))
        assert await current(alice, relation, row) == response.json()
    untouched = await alice.update(path, json={})
    assert untouched.json() == response.json()


@pytest.mark.parametrize("relation", LINKS, ids=str)
async def test_links_of_other_rows_stay(alice: UserClient, relation: Relation) -> None:
    row, target = await pair(alice, relation)
    path = relation.source.path
    count = len(await listed(alice, path))
    sent = {relation.key: [target]}
    others = [
        await make(alice, relation.source, number, **sent)
        for number in range(count, relation.source.rows)
    ]
    for ids in ([], [target]):
        response = await alice.update(f"{path}/{row['id']}", json={relation.key: ids})
        assert response.status_code == 200
        assert response.json()[relation.key] == ids
        assert response.json().get("updated_at", "z") > row.get("updated_at", "")
        assert [await current(alice, relation, other) for other in others] == others


@pytest.mark.parametrize("relation", LINKS, ids=str)
async def test_links_are_refused_as_a_whole(alice: UserClient, relation: Relation) -> None:
    row, target = await pair(alice, relation)
    path = f"{relation.source.path}/{row['id']}"
    for sent in ([target, ABSENT_ID], [target] * 101, None, "x"):
        response = await alice.update(path, json={relation.key: sent})
        assert response.status_code == 422
        assert relation.key in response.text
    assert await current(alice, relation, row) == row


@pytest.mark.parametrize("relation", LINKS, ids=str)
async def test_lists_read_links_at_once(alice: UserClient, relation: Relation) -> None:
    await pair(alice, relation)
    path = relation.source.path
    with counted() as few:
        rows = await listed(alice, path)
    for number in range(len(rows), relation.source.rows):
        await make(alice, relation.source, number)
    with counted() as many:
        await listed(alice, path)
    assert len(many) == len(few)


@pytest.mark.parametrize("relation", [one for one in LINKS if one.bulk], ids=str)
async def test_bulk_writes_links(alice: UserClient, relation: Relation) -> None:
    row, target = await pair(alice, relation)
    rows = await listed(alice, relation.source.path)
    free = range(len(rows), relation.source.rows)
    sent = [
        references_of(relation, row)
        | relation.source.body(number)
        | {relation.key: [target, target]}
        for number in free
    ]
    if sent:
        response = await alice.post(f"{relation.source.path}/bulk", json=sent)
        assert response.status_code == 201, response.text
        assert [made[relation.key] for made in response.json()] == [[target] for _ in free]
