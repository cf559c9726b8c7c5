"""The command that fills a development database."""

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated, Any, Literal

import pytest
from anyio import to_thread
from fastapi import FastAPI
from pydantic import BaseModel, Field
from sqlalchemy import select

from app.db.database import Database, ResultRow
from app.state import get_state
from scripts import seed
from scripts.seed_resources import Resource, resources
from scripts.seed_users import DEFAULT_USERS
from scripts.seed_values import NoValueError, Values

Run = Callable[..., Awaitable[str | None]]


class Body(BaseModel):
    """Fields whose values are limited in unusual ways."""

    letter: Annotated[str, Field(max_length=1)]
    code: Annotated[str, Field(min_length=40, max_length=41)]
    short: Annotated[str, Field(max_length=5)] | None = None
    below_zero: Annotated[int, Field(le=-5)]
    between: Annotated[int, Field(gt=1_000_000, lt=1_000_002)]
    ratio: Annotated[float, Field(gt=0, le=1)]
    choice: Literal["only"]
    empty: Annotated[list[str], Field(max_length=0)]
    impossible: Annotated[str, Field(pattern="^[0-9]{7}$")]


@pytest.fixture
def run(app: FastAPI, database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command on the database of the tests, and return its error."""
    monkeypatch.setenv("DATABASE_URL", get_state(app).settings.database_url)
    monkeypatch.setenv("ENVIRONMENT", "local")

    async def run(*arguments: str) -> str | None:
        # In a thread, because the command runs its own event loop.
        return await to_thread.run_sync(seed.main, arguments)

    return run


async def rows_of(database: Database, resource: Resource) -> dict[Any, ResultRow]:
    """Return all rows of a resource by their ids."""
    rows = await database.execute(select(resource.model.__table__))
    return {row["id"]: row for row in rows}


async def test_every_resource_has_rows_of_both_users(
    run: Run, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run() is None
    printed = capsys.readouterr().out
    for table, resource in resources().items():
        # Own fields can have rules that no value is found for.
        if f"0 {table}: " in printed:
            continue
        rows = await rows_of(database, resource)
        owners = {row["user_id"] for row in rows.values() if "user_id" in row}
        assert len(rows) > 1, resource.name
        assert len(owners) == (2 if resource.owner(1) else 0), resource.name


async def test_references_are_to_rows_of_the_same_user(run: Run, database: Database) -> None:
    assert await run() is None
    found = resources()
    stored = {table: await rows_of(database, resource) for table, resource in found.items()}
    for table, resource in found.items():
        for name, target in resource.references.items():
            if not stored[table] or not stored.get(target):
                continue
            pairs = [
                (row, stored[target][row[name]]) for row in stored[table].values() if row[name]
            ]
            assert pairs, (table, name)
            for row, referenced in pairs:
                assert row.get("user_id") == referenced.get("user_id", row.get("user_id"))


async def test_linked_rows(run: Run, database: Database) -> None:
    assert await run() is None
    for resource in resources().values():
        links = getattr(resource.model, "__links__", {}).values()
        for link in links if await rows_of(database, resource) else ():
            assert await database.execute(select(link.__table__)), resource.name


async def test_second_run_does_nothing(
    run: Run, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run("") is None
    before = [await rows_of(database, resource) for resource in resources().values()]
    printed = capsys.readouterr().out
    for table, resource in resources().items():
        assert f"{len(await rows_of(database, resource))} {table}" in printed
    assert await run() is None
    assert capsys.readouterr().out == seed.NOT_EMPTY
    assert [await rows_of(database, resource) for resource in resources().values()] == before


async def test_users_can_be_named(run: Run, database: Database) -> None:
    assert await run(f" {DEFAULT_USERS[1]} ") is None
    for resource in resources().values():
        rows = await rows_of(database, resource)
        assert len({row.get("user_id") for row in rows.values()}) <= 1, resource.name


@pytest.mark.parametrize("environment", ["production", "Production"])
async def test_nothing_is_added_in_production(
    run: Run, database: Database, environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVIRONMENT", environment)
    assert await run() == seed.PRODUCTION
    for resource in resources().values():
        assert await rows_of(database, resource) == {}


async def test_field_without_a_valid_value(
    run: Run,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def no_value(*_: Any) -> Any:
        raise NoValueError("title")

    monkeypatch.setattr(Values, "value", no_value)
    monkeypatch.setattr(Values, "is_required", lambda *_: True)
    monkeypatch.setattr(Values, "is_nullable", lambda *_: False)
    assert await run() is None
    printed = capsys.readouterr().out
    for table, resource in resources().items():
        if resource.values.schema.model_fields.keys() <= {*resource.references, *resource.links}:
            continue
        assert f"0 {table}: no valid value was found for the field " in printed
        assert await rows_of(database, resource) == {}


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("mysql://host/app", "DATABASE_URL must begin with "),
        ("postgresql://127.0.0.1:1/app", "A required service is unavailable"),
    ],
)
async def test_database_cannot_be_used(
    run: Run, url: str, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    printed = await run()
    assert printed is not None
    assert printed.startswith(error)
    assert "\n" not in printed


def test_values_are_the_same_in_each_run() -> None:
    for resource in resources().values():
        bodies = []
        for _ in range(2):
            values = Values(resource.values.schema)
            names = [name for name in values.adapters if not name.endswith(("_id", "_ids"))]
            body: dict[str, Any] = {}
            for name in filter(values.is_required, names):
                with suppress(NoValueError):
                    body[name] = values.value(name, 0, set())
            bodies.append(body)
        assert bodies[0] == bodies[1]


def test_limited_values() -> None:
    values = Values(Body)
    names = [name for name in Body.model_fields if name != "impossible"]
    for number in range(20):
        body = {name: values.value(name, number, None) for name in names}
        Body.model_validate({**body, "impossible": "1234567"})
    with pytest.raises(NoValueError, match="impossible"):
        values.value("impossible", 0, None)


def test_unique_values() -> None:
    values, used = Values(Body), set[str]()
    short = [values.value("short", number, used) for number in range(20)]
    assert len({*short}) == 20
    assert all(re.search(r"\d", one) for one in short)
    assert values.value("between", 0, used) == 1_000_001
    with pytest.raises(NoValueError):
        values.value("between", 1, used)
