"""Filters and sort orders of lists, on a table of its own."""

from collections.abc import Iterator
from typing import Annotated, Literal, cast

import pytest
from pydantic import MISSING, Field
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
)
from typing_extensions import TypeAliasType

from app.db.filters import Shape, conditions, read_query
from app.db.sorting import sort_keys
from app.models.row import Row
from app.schemas.lists import AtLeast, AtMost, Comparison, Equals, IsNull, ListQuery, sortable

notes = Table(
    "notes",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("rank", Integer),
    Column("size", Integer),
    Column("level", String),
    Column("body", Text),
    Column("extra", JSON),
    Column("done", Boolean),
    Column("user_id", Integer, info={"sortable": False}),
)
Note = cast("type[Row]", type("Note", (), {"__table__": notes}))
RANKS = [2, 1, None, 1, 2, None]
DONE = [True, False, None, True, False, None]
# `gone` is no longer a choice.
LEVELS = ["low", "high", None, "it's 100%", "gone", "low"]
Level = TypeAliasType("Level", Annotated[Literal["low", "it's 100%", "high"], Field()])
State = Annotated[
    Literal["any", "open", "done"] | MISSING,
    Comparison("is_true", column="done", values={"open": False, "done": True}),
]


class NoteQuery(ListQuery):
    """Filters of notes."""

    sort: str = "id"
    rank: Equals[int] = MISSING
    rank_gte: AtLeast[int] = MISSING
    rank_lte: AtMost[int] = MISSING
    rank_is_null: IsNull = MISSING
    extra_is_null: IsNull = MISSING
    level: Equals[Level] = MISSING
    state: State = MISSING


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A database with notes, whose ids start at 1."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        notes.create(connection)
        rows = [
            {"rank": rank, "size": 7, "level": level, "done": done}
            for rank, level, done in zip(RANKS, LEVELS, DONE, strict=True)
        ]
        connection.execute(notes.insert(), rows)
        yield connection
    engine.dispose()


def found(connection: Connection, query: NoteQuery) -> list[int]:
    """Return the ids that a query returns, in order."""
    shape, values = read_query(query)
    order = [key.clause() for key in sort_keys(Note, shape)]
    statement = notes.select().where(*conditions(Note, shape)).order_by(*order)
    return [row.id for row in connection.execute(statement, values)]


@pytest.mark.parametrize(
    ("sort", "ids"),
    [
        ("id", [1, 2, 3, 4, 5, 6]),
        ("-id", [6, 5, 4, 3, 2, 1]),
        ("rank", [2, 4, 1, 5, 3, 6]),
        ("-rank", [5, 1, 4, 2, 6, 3]),
        ("rank,-id", [4, 2, 5, 1, 6, 3]),
        ("-rank,id", [1, 5, 2, 4, 3, 6]),
        ("size,-rank", [5, 1, 4, 2, 6, 3]),
        ("level", [1, 6, 4, 2, 5, 3]),
        ("-level", [2, 4, 6, 1, 5, 3]),
        ("level,-id", [6, 1, 4, 2, 5, 3]),
        ("-level,id", [2, 4, 1, 6, 5, 3]),
        ("rank,level", [4, 2, 1, 5, 6, 3]),
    ],
)
def test_sorting_puts_nulls_last_and_breaks_ties_by_id(
    connection: Connection, sort: str, ids: list[int]
) -> None:
    assert found(connection, NoteQuery(sort=sort)) == ids


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"rank": 2}, [1, 5]),
        ({"rank_gte": 2}, [1, 5]),
        ({"rank_lte": 1}, [2, 4]),
        ({"rank_gte": 1, "rank_lte": 1}, [2, 4]),
        ({"rank_gte": 3}, []),
        ({"rank_is_null": True}, [3, 6]),
        ({"rank_is_null": False}, [1, 2, 4, 5]),
        ({"rank_is_null": True, "rank": 2}, []),
        ({"extra_is_null": True}, [1, 2, 3, 4, 5, 6]),
        ({"extra_is_null": False}, []),
        ({"level": "low"}, [1, 6]),
        ({"state": "any"}, [1, 2, 3, 4, 5, 6]),
        ({"state": "open"}, [2, 3, 5, 6]),
        ({"state": "done"}, [1, 4]),
    ],
)
def test_filters(connection: Connection, filters: dict[str, object], ids: list[int]) -> None:
    assert found(connection, NoteQuery.model_validate(filters)) == ids


@pytest.mark.parametrize("sort", ["rank", "-rank", "level", "-level"])
def test_term_of_a_value_is_that_of_its_rows(connection: Connection, sort: str) -> None:
    key = sort_keys(Note, Shape(NoteQuery, (), sort))[0]
    rows = connection.execute(notes.select()).mappings().all()
    for value in {row[key.column.name] for row in rows}:
        here = notes.select().where(key.term.is_not_distinct_from(key.term_of(value)))
        found = connection.execute(here).mappings().all()
        assert found == [row for row in rows if row[key.column.name] == value]


def test_rows_that_another_index_finds_are_not_read_in_order() -> None:
    shape, _ = read_query(NoteQuery(sort="-rank"))
    for key in sort_keys(Note, shape):
        assert str(key.clause()).startswith(f"notes.{key.column.name} ")
    for key in sort_keys(Note, shape._replace(is_indexed=True)):
        assert str(key.clause()).startswith("coalesce(")


def test_long_strings_and_json_are_not_sortable() -> None:
    assert list(sortable(Note)) == ["id", "rank", "size", "level", "done"]
