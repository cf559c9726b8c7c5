"""A script for a rendered project: search for every letter that has a case, in each of its cases.

Each letter is searched for alone and next to other letters, because the lower case of a sigma
depends on its neighbours. The counts of letters and of pairs of a text and a query, and the
failures, are printed as JSON.
"""

import asyncio
import json
import sys
import unicodedata

from app.db.engine import create_engine
from app.db.folding import fold, folded, position
from sqlalchemy import Column, MetaData, Table, Text, select

CASES = (str, str.lower, str.upper, str.title, str.casefold, str.swapcase, str.capitalize)
AROUND = (
    *(("", ""), ("a", ""), ("", "a"), ("Z", "Z"), (" ", " "), ("1", "1")),
    *(("Σ", ""), ("", "Σ"), ("ΑΣ", "ς"), ("Σ'", ""), ("", "'Σ")),
    *(("\u0307", "\u0301"), ("\u0345", "\u0345")),
)

pairs = Table(
    "pairs", MetaData(), Column("text", Text), Column("query", Text), prefixes=["TEMPORARY"]
)


def cased_letters() -> list[str]:
    """Return every character that one of Python's case functions changes."""
    characters = (chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000)
    return [each for each in characters if any(case(each) != each for case in CASES)]


def texts_and_queries(letters: list[str]) -> set[tuple[str, str]]:
    """Return each letter among others as a text, with each case of both as a query."""
    return {
        (text, case(part))
        for letter in letters
        for before, after in AROUND
        for text in (f"{before}{letter}{after}",)
        for part in (letter, text)
        for case in CASES
    }


async def failures(url: str, wanted: set[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the failed searches, and the letters that the database and Python fold differently.

    The older Unicode version of the two does not contain these letters; texts with one of them
    do not count.
    """
    async with create_engine(url).begin() as connection:
        await connection.run_sync(pairs.create)
        rows = [{"text": text, "query": query} for text, query in wanted]
        for start in range(0, len(rows), 10_000):
            await connection.execute(pairs.insert(), rows[start : start + 10_000])
        text, query = pairs.c.text, pairs.c.query
        in_sql = (await connection.execute(select(text, folded(text)).distinct())).all()
        differ = [one for one, other in in_sql if fold(one) != other]
        missing = select(text, query).where(position(folded(text), folded(query)) == 0)
        missed = (await connection.execute(missing)).all()
    unknown = {each for each in differ if len(each) == 1}

    def known(*texts: str) -> bool:
        return unknown.isdisjoint("".join(texts))

    return {
        "unknown": sorted(unknown),
        "differ": [each for each in differ if known(each)],
        "missed": [f"{one!a} {other!a}" for one, other in missed if known(one, other)],
    }


def main(url: str) -> None:
    """Search, and print the result."""
    letters = cased_letters()
    wanted = texts_and_queries(letters)
    found = asyncio.run(failures(url, wanted))
    counts = {"letters": len(letters), "pairs": len(wanted), "unicode": unicodedata.unidata_version}
    print(json.dumps(counts | {name: rows[:200] for name, rows in found.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
