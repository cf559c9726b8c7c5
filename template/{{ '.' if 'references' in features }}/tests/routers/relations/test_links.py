"""Links to several rows, in the body of every answer to a write."""

from typing import Any

import pytest

from tests.routers.relations.steps import current, linked, references_of
from tests.routers.relations.table import LINKS, Relation
from tests.support.api import ABSENT_ID, UPDATE_METHODS
from tests.support.error_shape import error_of
from tests.support.rows import listed
from tests.support.users import UserClient

every_relation = pytest.mark.parametrize("relation", LINKS, ids=str)


def settled(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without what any change moves."""
    return {name: value for name, value in row.items() if name not in {"updated_at", "completed"}}


@every_relation
async def test_a_new_row_answers_its_links(alice: UserClient, relation: Relation) -> None:
    row, ids = await linked(alice, relation)
    assert row[relation.key] == ids
    assert await current(alice, relation, row) == row


@every_relation
@pytest.mark.parametrize("verb", UPDATE_METHODS)
async def test_a_change_answers_the_links(alice: UserClient, relation: Relation, verb: str) -> None:
    row, ids = await linked(alice, relation)
    url = alice.url(f"{relation.source.path}/{row['id']}")
    own = {name: row[name] for name in relation.source.body(0)}
    each: list[dict[str, Any]] = [{name: value} for name, value in own.items()]
    same = [{relation.key: ids}, {relation.key: ids[::-1]}, own | {relation.key: ids}]
    for change in [{}, own, *each, *same]:
        response = await alice.http.request(verb, url, json=change)
        assert response.status_code == 200, response.text
        assert settled(response.json()) == settled(row)
        assert await current(alice, relation, row) == response.json()


@every_relation
@pytest.mark.parametrize("verb", UPDATE_METHODS)
async def test_other_links_are_answered(alice: UserClient, relation: Relation, verb: str) -> None:
    row, ids = await linked(alice, relation)
    url = alice.url(f"{relation.source.path}/{row['id']}")
    own = {name: row[name] for name in relation.source.body(0)}
    for links in (ids[1:], ids[:1], ids[::-2], [], ids):
        wanted = settled(row | {relation.key: sorted(links)})
        for change in ({relation.key: links}, {}, own, own | {relation.key: links}):
            response = await alice.http.request(verb, url, json=change)
            assert response.status_code == 200, response.text
            assert settled(response.json()) == wanted
            assert await current(alice, relation, row) == response.json()


@pytest.mark.parametrize("relation", [one for one in LINKS if one.completes], ids=str)
async def test_completing_answers_the_links(alice: UserClient, relation: Relation) -> None:
    row, _ = await linked(alice, relation)
    url = alice.url(f"{relation.source.path}/{row['id']}/complete")
    for _ in range(2):
        response = await alice.http.patch(url)
        assert response.status_code == 200
        assert settled(response.json()) == settled(row)
        assert await current(alice, relation, row) == response.json()


@pytest.mark.parametrize("relation", [one for one in LINKS if one.bulk], ids=str)
async def test_bulk_answers_the_links(alice: UserClient, relation: Relation) -> None:
    row, ids = await linked(alice, relation)
    path = relation.source.path
    free = range(len(await listed(alice, path)), relation.source.rows)
    sent = [
        references_of(relation, row)
        | relation.source.body(number)
        | {relation.key: [*ids[number % 2 :], *ids[1:]]}
        for number in free
    ]
    if sent:
        response = await alice.post(f"{path}/bulk", json=sent)
        assert response.status_code == 201, response.text
        for number, made in zip(free, response.json(), strict=True):
            assert made[relation.key] == ids[number % 2 :]
            assert await current(alice, relation, made) == made


@pytest.mark.parametrize("relation", [one for one in LINKS if one.bulk], ids=str)
async def test_bulk_names_the_rows_with_invalid_links(
    alice: UserClient, relation: Relation
) -> None:
    row, ids = await linked(alice, relation)
    path = relation.source.path
    before = await listed(alice, path)
    free = range(len(before), relation.source.rows)
    sent = [
        references_of(relation, row)
        | relation.source.body(number)
        | {relation.key: [*ids, ABSENT_ID] if number % 2 else ids}
        for number in free
    ]
    wrong = {f"{place}.{relation.key}" for place, number in enumerate(free) if number % 2}
    if wrong:
        response = await alice.post(f"{path}/bulk", json=sent)
        assert set(error_of(response, 422, "VALIDATION_ERROR")) == wrong
        assert await listed(alice, path) == before


@every_relation
async def test_invalid_links_are_named(alice: UserClient, relation: Relation) -> None:
    row, ids = await linked(alice, relation)
    change = {relation.key: [*ids, ABSENT_ID]}
    response = await alice.update(f"{relation.source.path}/{row['id']}", json=change)
    assert set(error_of(response, 422, "VALIDATION_ERROR")) == {relation.key}
