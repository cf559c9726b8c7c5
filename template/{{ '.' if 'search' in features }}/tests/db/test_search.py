"""Search: case-insensitive in every alphabet, on the database of the tests."""

from typing import Any, cast

import pytest
from sqlalchemy import Select, String, literal, select

from app.db.database import Database, Values
from app.db.engine import create_engine
from app.db.folding import fold
from app.db.search import matches
from app.db.statements import Model


@pytest.fixture(params=[None, 3], ids=["by reading", "by index"], autouse=True)
def indexed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Search with the statements for a database without and with an index."""
    monkeypatch.setattr("app.db.search.INDEXED_LENGTH", request.param)


def search(text: str | None, query: str) -> tuple[Select[Any], Values]:
    """Return the statement that selects a string if the query finds it, and its parameters."""
    notes = select(literal(None), literal(text, String).label("title")).subquery()
    note = cast("Model", type("Note", (), {"__table__": notes}))
    condition = matches(note, query, "title")
    return select(notes).where(condition.clause), condition.values


async def found(database: Database, text: str | None, query: str) -> bool:
    """Return whether the query finds the string."""
    return len(await database.execute(*search(text, query))) == 1


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Wake UP", "wAKE up"),
        ("100 % of a_b\\c", "% of A_B\\C"),
        # A sigma at the end of a word has its own form.
        ("ΚΟΣΜΟΣ", "ΚΟΣ"),
        ("ΚΟΣΜΟΣ", "κος"),
        ("ΚΟΣΜΟΣ", "κοσ"),
        ("κόσμος", "ΚΌΣΜΟΣ"),
        # Letters whose upper case is two letters.
        ("Straße", "STRASSE"),
        ("STRASSE", "straße"),
        ("GROẞ", "groß"),
        ("ﬁne", "FI"),
        ("ᾳ", "ΑΙ"),
        # Several letters with one upper or lower case.
        ("300 \N{KELVIN SIGN}", "300 k"),
        ("ǆip", "ǅ"),
        ("ISPARTA", "ısparta"),
        ("İZMİR", "i̇zmi̇r"),
        # Alphabets whose other case is recent, or outside the basic plane.
        ("ꭰꭱ", "ᎠᎡ"),
        ("მზე", "ᲛᲖᲔ"),
        ("𐐀", "𐐨"),
        # Composed and decomposed accents.
        ("caf\u00e9", "CAFE\u0301"),
        ("CAFE\u0301", "caf\u00e9"),
        ("\u01f0", "J\u030c"),
        ("ΐ", "\u03aa\u0301"),
        ("\u1112\u1161\u11ab", "\ud55c"),
    ],
)
async def test_finds_a_string_in_any_case(database: Database, text: str, query: str) -> None:
    assert await found(database, text, query)
    for form in (text, text.upper(), text.lower(), text.title(), text.casefold()):
        assert await found(database, text, form)
        assert await found(database, f"Σ{text}Σ", form)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Köln", "Koln"),
        ("abc", "abd"),
        ("abc", "a_c"),
        ("abc", "a%c"),
        ("abc", "%"),
        ("abc", "abcd"),
        ("a_c", r"a\_c"),
        (r"a\_c", "a_c"),
        ("", "a"),
    ],
)
async def test_finds_nothing_else(database: Database, text: str, query: str) -> None:
    assert not await found(database, text, query)


@pytest.mark.parametrize("text", ["100% sure", "snake_case", r"C:\temp", r"\%_\\"])
async def test_wildcards_are_found_as_they_are(database: Database, text: str) -> None:
    for query in (text, text[1:], text[:-1], text[1:4]):
        assert await found(database, text, query)


@pytest.mark.parametrize(("query", "is_like"), [("ab", False), ("abc", True), ("abcd", True)])
def test_index_is_for_strings_of_three_characters(
    monkeypatch: pytest.MonkeyPatch, query: str, is_like: bool
) -> None:
    monkeypatch.setattr("app.db.search.INDEXED_LENGTH", 3)
    statement, _ = search("a", query)
    dialect = create_engine("postgresql://127.0.0.1/a").dialect
    assert (" LIKE " in str(statement.compile(dialect=dialect))) is is_like


async def test_null_is_not_found(database: Database) -> None:
    assert fold(None) is None
    assert not await found(database, None, "a")
