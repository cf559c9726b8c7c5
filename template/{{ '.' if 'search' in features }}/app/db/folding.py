"""Case-insensitive comparison of strings in SQL, for every alphabet and on both databases."""

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


def fold(string: str | None) -> str | None:
    """Return a string without differences of case.

    Lower case depends on the letters around: a sigma at the end of a Greek word has a form of its
    own. Upper case keeps letters apart that share a lower case (`ẞ` and `ß`, `K` and the Kelvin
    sign). The upper case of the lower case does neither, in Python as in PostgreSQL.
    """
    return None if string is None else string.lower().upper()


class folded(GenericFunction[str]):  # noqa: N801  # Functions are named as in SQL.
    """`fold` in SQL; on SQLite, each connection has it as a function."""

    inherit_cache = True


class pattern(GenericFunction[str]):  # noqa: N801
    """The second argument of `like` that finds a string."""

    inherit_cache = True


class like(GenericFunction[bool]):  # noqa: N801
    """Whether the first string contains that of a pattern; an index of trigrams can answer it."""

    inherit_cache = True


class position(GenericFunction[int]):  # noqa: N801
    """The position of the second string in the first one, from 1; 0 if it is not there."""

    inherit_cache = True


@compiles(folded, "postgresql")
def _fold_on_postgresql(element: folded, compiler: SQLCompiler, **options: Any) -> str:
    string = compiler.process(element.clauses, **options)
    # The database's own collation may be limited to ASCII. ICU's is not, but takes many times as
    # long, so ASCII strings use the fast one.
    return (
        f"CASE WHEN octet_length({string}) = char_length({string})"
        f' THEN upper({string} COLLATE "C") COLLATE "C"'
        f' ELSE upper(lower({string} COLLATE "und-x-icu")) COLLATE "C" END'
    )


@compiles(pattern)
def _build_pattern_on_sqlite(element: pattern, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(pattern, "postgresql")
def _build_pattern_on_postgresql(element: pattern, compiler: SQLCompiler, **options: Any) -> str:
    string = compiler.process(element.clauses, **options)
    for wildcard in ("\\", "%", "_"):
        string = f"replace({string}, '{wildcard}', '\\{wildcard}')"
    return f"'%' || {string} || '%'"


@compiles(like)
def _compare_on_sqlite(element: like, compiler: SQLCompiler, **options: Any) -> str:
    return f"(instr({compiler.process(element.clauses, **options)}) > 0)"


@compiles(like, "postgresql")
def _compare_on_postgresql(element: like, compiler: SQLCompiler, **options: Any) -> str:
    string, wanted = (compiler.process(part, **options) for part in element.clauses)
    return f"({string} LIKE {wanted})"


@compiles(position)
def _find_on_sqlite(element: position, compiler: SQLCompiler, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(position, "postgresql")
def _find_on_postgresql(element: position, compiler: SQLCompiler, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"
