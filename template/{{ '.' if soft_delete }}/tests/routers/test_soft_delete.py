"""Soft-deleted rows: they cannot be seen, but restored."""

from typing import Any

from sqlalchemy import select
from sqlmodel import SQLModel

from app.db.database import Database
from app.db.statements import delete_row, select_rows
from app.models.datetimes import utc_now
from app.models.scoped import Scoped
from tests.support.api import FOREIGN_STATUS
from tests.support.cases import each_resource_where, every_resource
from tests.support.resource import Resource
from tests.support.rows import listed, make
from tests.support.users import UserClient


async def soft_deleted(user: UserClient, resource: Resource) -> dict[str, Any]:
    """Return a row that was created and deleted."""
    row = await make(user, resource)
    response = await user.delete(resource.row(row))
    assert response.status_code == 204
    return row


@every_resource
async def test_no_route_finds_the_row(alice: UserClient, resource: Resource) -> None:
    row = await soft_deleted(alice, resource)
    path = resource.row(row)
    assert (await alice.get(path)).status_code == 404
    assert (await alice.update(path, json={})).status_code == 404
    assert (await alice.delete(path)).status_code == 404
    assert await listed(alice, resource.path) == []
    if "complete" in resource.operations:
        assert (await alice.http.patch(alice.url(f"{path}/complete"))).status_code == 404
    if "stats" in resource.operations:
        assert (await alice.get(f"{resource.path}/stats")).json()["total"] == 0
    if "search" in resource.operations:
        query = row[resource.searched[0]][:200]
        assert await listed(alice, f"{resource.path}/search", query=query) == []
    if {"bulk", "complete"} <= set(resource.operations):
        sent = {f"{resource.name}_ids": [row["id"]]}
        response = await alice.post(f"{resource.path}/bulk-complete", json=sent)
        assert response.json() == {"updated_count": 0, "failed_ids": [row["id"]]}


@every_resource
async def test_restores_the_row_and_no_other(alice: UserClient, resource: Resource) -> None:
    other, row = await soft_deleted(alice, resource), await soft_deleted(alice, resource)
    for _ in range(2):
        response = await alice.post(f"{resource.row(row)}/restore")
        assert response.status_code == 200
        restored = response.json()
        assert all(restored[name] == row[name] for name in row if name != "updated_at")
    assert (await alice.get(resource.row(row))).json() == restored
    assert (await alice.get(resource.row(other))).status_code == 404


@every_resource
async def test_each_deletion_has_its_own_time(
    alice: UserClient, database: Database, resource: Resource
) -> None:
    tables = [each for each in SQLModel.metadata.sorted_tables if "deleted_at" in each.c]
    await soft_deleted(alice, resource)
    between = utc_now()
    await soft_deleted(alice, resource)
    times = [
        row["deleted_at"]
        for table in tables
        for row in await database.execute(select(table.c.deleted_at))
        if row["deleted_at"] is not None
    ]
    assert len(times) == 2
    assert min(times) <= between <= max(times)


@every_resource
async def test_missing_row_is_not_found(alice: UserClient, resource: Resource) -> None:
    assert (await alice.post(f"{resource.absent}/restore")).status_code == 404


@each_resource_where(lambda resource: resource.owned)
async def test_other_users_cannot_restore_it(
    alice: UserClient, bob: UserClient, resource: Resource
) -> None:
    row = await soft_deleted(alice, resource)
    assert (await bob.post(f"{resource.row(row)}/restore")).status_code == FOREIGN_STATUS
    assert (await bob.get(resource.row(row))).status_code == FOREIGN_STATUS
    assert (await alice.get(resource.row(row))).status_code == 404


@each_resource_where(lambda resource: resource.unique)
async def test_unique_values_can_be_used_again(alice: UserClient, resource: Resource) -> None:
    row = await soft_deleted(alice, resource)
    again = await make(alice, resource)
    response = await alice.post(f"{resource.row(row)}/restore")
    assert response.status_code == 409
    assert await listed(alice, resource.path) == [again]


@every_resource
async def test_row_that_is_not_deleted_is_not_changed(
    alice: UserClient, resource: Resource
) -> None:
    row = await make(alice, resource)
    response = await alice.post(f"{resource.row(row)}/restore")
    assert (response.status_code, response.json()) == (200, row)
    assert (await alice.get(resource.row(row))).json() == row


def test_own_tables_can_do_without_soft_deletion() -> None:
    class Kept(Scoped, table=True):
        """A row that is deleted at once."""

    try:
        assert "deleted_at" not in str(select_rows(Kept))
        assert str(delete_row(Kept)).startswith("DELETE FROM kept")
    finally:
        SQLModel.metadata.remove(Kept.__table__)
