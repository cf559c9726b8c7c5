"""Steps that the tests of relations share."""

from typing import Any

from tests.routers.relations.table import LINKS, REFERENCES, Relation
from tests.support.rows import any_id, listed, make
from tests.support.users import UserClient


def value(relation: Relation, row_id: Any) -> Any:
    """Return what a field says that refers to one row."""
    return [row_id] if relation in LINKS else row_id


def references_of(relation: Relation, row: dict[str, Any]) -> dict[str, Any]:
    """Return the references that a row has."""
    related = [other for other in REFERENCES + LINKS if other.source is relation.source]
    return {other.key: row[other.key] for other in related}


async def pair(user: UserClient, relation: Relation) -> tuple[Any, Any]:
    """Return a row of the source, and the id of the one that it refers to."""
    target = await any_id(user, relation.target)
    sent = {relation.key: value(relation, target)}
    rows = await listed(user, relation.source.path)
    if len(rows) < relation.source.rows:
        return await make(user, relation.source, len(rows), **sent), target
    response = await user.update(f"{relation.source.path}/{rows[0]['id']}", json=sent)
    assert response.status_code == 200, response.text
    return response.json(), target


async def current(user: UserClient, relation: Relation, row: dict[str, Any]) -> Any:
    """Return what is stored of a row, or nothing if it is gone."""
    response = await user.get(f"{relation.source.path}/{row['id']}")
    return response.json() if response.status_code == 200 else None


async def linked(user: UserClient, relation: Relation) -> tuple[dict[str, Any], list[Any]]:
    """Return a row with as many links as there can be, up to three, and their ids in order."""
    sent = {}
    for other in LINKS:
        if other.source is relation.source:
            count = len(await listed(user, other.target.path))
            for number in range(count, min(3, other.target.rows)):
                await make(user, other.target, number)
            ids = sorted(row["id"] for row in await listed(user, other.target.path))
            # Fields that refer to the same rows do not have the same links.
            sent[other.key] = ids if other is relation else ids[:1]
    rows = await listed(user, relation.source.path)
    if len(rows) < relation.source.rows:
        return await make(user, relation.source, len(rows), **sent), sent[relation.key]
    response = await user.update(f"{relation.source.path}/{rows[0]['id']}", json=sent)
    assert response.status_code == 200, response.text
    row: dict[str, Any] = response.json()
    return row, sent[relation.key]
