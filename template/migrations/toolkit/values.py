"""How values of one column type become values of another, on SQLite and PostgreSQL.

SQLite stores a decimal as an integer scaled by a power of ten, a UUID as 32 hexadecimal digits, and
dates and datetimes as strings.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

Type = sa.types.TypeEngine[Any]

NOW = "now"

# The kinds of column types; the first that matches counts.
KINDS: dict[str, type[Any]] = {
    "string": sa.String,
    "boolean": sa.Boolean,
    "float": sa.Float,
    "decimal": sa.Numeric,
    "integer": sa.Integer,
    "datetime": sa.DateTime,
    "date": sa.Date,
    "uuid": sa.Uuid,
    "json": sa.JSON,
}
# The kinds that values of each kind can be converted to; strings only where they can be parsed.
CONVERSIONS = {
    "string": {"string", "boolean", "float", "decimal", "integer", "datetime", "date", "uuid"},
    "boolean": {"string", "integer"},
    "float": {"string", "decimal", "integer"},
    "decimal": {"string", "float", "decimal", "integer"},
    "integer": {"string", "float", "decimal"},
    "date": {"string", "datetime"},
    "datetime": {"date"},
    "uuid": {"string"},
}


def kind(type_: Type) -> str:
    """Return the kind of a column type."""
    if isinstance(type_, sa.Interval):
        return "other"
    plain = type_.impl_instance if isinstance(type_, sa.TypeDecorator) else type_
    return next((name for name, base in KINDS.items() if isinstance(plain, base)), "other")


def convertible(old: Type, new: Type) -> bool:
    """Tell whether values of one type can become values of another."""
    return kind(new) in CONVERSIONS.get(kind(old), ())


def parsed(old: Type, new: Type) -> bool:
    """Tell whether the values are strings that have to be parsed."""
    return kind(old) == "string" != kind(new)


def _scale(type_: Type) -> int:
    return int(getattr(type_, "scale", None) or 0) if kind(type_) == "decimal" else 0


def is_wider(old: Type, new: Type) -> bool:
    """Tell whether every value of one type is a value of another, stored in the same form."""
    if kind(old) == kind(new) == "string":
        length, longest = getattr(new, "length", None), getattr(old, "length", None)
        return length is None or (longest is not None and length >= longest)
    if kind(old) == kind(new) == "decimal":
        fewer, digits = (int(getattr(type_, "precision", None) or 0) for type_ in (old, new))
        return _scale(old) == _scale(new) and 0 < fewer <= digits
    return False


def is_shorter(old: Type, new: Type) -> bool:
    """Tell whether the types are strings, of which the new one is limited to fewer characters."""
    return kind(old) == kind(new) == "string" and not is_wider(old, new)


def parse(type_: Type, string: str) -> Any:
    """Return the value that a string stands for.

    Raises:
        ValueError: it is not a valid value of the type.
    """
    if kind(type_) == "decimal":
        return _parse_decimal(type_, string)
    return PARSERS[kind(type_)](string)


def _parse_boolean(string: str) -> bool:
    if string not in {"true", "false"}:
        raise ValueError(string)
    return string == "true"


def _parse_datetime(string: str) -> datetime:
    found = datetime.fromisoformat(string)
    if found.tzinfo is None:
        raise ValueError(string)
    return found.astimezone(UTC)


def _parse_decimal(type_: Type, string: str) -> Decimal:
    try:
        number = Decimal(string)
        exact = number.quantize(Decimal(1).scaleb(-_scale(type_)))
    except ArithmeticError as error:
        raise ValueError(string) from error
    precision = getattr(type_, "precision", None)
    if exact != number or (precision and len(exact.as_tuple().digits) > precision):
        raise ValueError(string)
    return exact


PARSERS: dict[str, Callable[[str], Any]] = {
    "boolean": _parse_boolean,
    "float": float,
    "integer": int,
    "datetime": _parse_datetime,
    "date": date.fromisoformat,
    "uuid": UUID,
}


def parameter(type_: Type, value: Any, dialect: sa.Dialect) -> Any:
    """Return a value of a revision as a parameter for a column of its type."""
    if value == NOW and kind(type_) == "datetime":
        value = datetime.now(UTC)
    elif kind(type_) in {"datetime", "date", "uuid", "decimal"}:
        value = parse(type_, str(value))
    if dialect.name != "sqlite":
        return value
    if isinstance(value, Decimal):
        return int(value.scaleb(_scale(type_)))
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def constant(type_: Type, value: Any, dialect: sa.Dialect) -> sa.ColumnElement[Any]:
    """Return a value of a revision as SQL; PostgreSQL gives literals the type of the column."""
    if value == NOW and kind(type_) == "datetime":
        return sa.func.now()
    if dialect.name == "sqlite":
        stored = kind(type_) in {"datetime", "date", "uuid", "decimal"}
        value = sqlite_string(type_, str(value)) if stored else value
        value = int(value) if isinstance(value, bool) else value
    if kind(type_) in {"boolean", "float", "decimal", "integer"}:
        return sa.literal_column(str(value).lower())
    string = value if isinstance(value, str) and kind(type_) != "json" else json.dumps(value)
    return sa.literal_column("'{}'".format(string.replace("'", "''")))


def sqlite_string(type_: Type, string: str) -> str:
    """Return a string that is parsed as SQLite's columns of its new type take it."""
    match parse(type_, string):
        case bool() as value:
            return str(int(value))
        case Decimal() as value:
            return str(int(value.scaleb(_scale(type_))))
        case datetime() as value:
            return value.replace(tzinfo=None).isoformat(" ", "microseconds")
        case UUID() as value:
            return value.hex
        case value:
            return str(value)


def sqlite_conversion(name: str, old: Type, new: Type) -> str | None:
    """Return the SQL for values that CAST alone would not convert."""
    column, before, after = f'"{name}"', 10 ** _scale(old), 10 ** _scale(new)
    digits = f"ABS(CAST({column} AS BIGINT))"
    fraction = f" || printf('.%0{_scale(old)}d', {digits} % {before})" if _scale(old) else ""
    groups = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)]
    return {
        ("integer", "decimal"): f"{column} * {after}",
        ("float", "decimal"): f"CAST(ROUND({column} * {after}) AS BIGINT)",
        ("decimal", "decimal"): f"{column} * {after} / {before}",
        ("decimal", "float"): f"{column} / {before}.0",
        ("decimal", "integer"): f"{column} / {before}",
        ("decimal", "string"): (
            f"CASE WHEN CAST({column} AS BIGINT) < 0 THEN '-' ELSE '' END"
            f" || ({digits} / {before}){fraction}"
        ),
        ("boolean", "string"): f"CASE {column} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END",
        ("date", "datetime"): f"{column} || ' 00:00:00.000000'",
        ("datetime", "date"): f"substr({column}, 1, 10)",
        ("uuid", "string"): " || '-' || ".join(
            f"substr({column}, {start}, {size})" for start, size in groups
        ),
    }.get((kind(old), kind(new)))


def postgresql_conversion(name: str, old: Type, new: Type, dialect: sa.Dialect) -> str:
    """Return the SQL of the new values."""
    column = f'"{name}"'
    if (kind(old), kind(new)) == ("date", "datetime"):
        return f"CAST({column} AS TIMESTAMP) AT TIME ZONE 'UTC'"
    if (kind(old), kind(new)) == ("datetime", "date"):
        column += " AT TIME ZONE 'UTC'"
    return f"CAST({column} AS {new.compile(dialect)})"


def loss(
    name: str, old: Type, new: Type, dialect: sa.Dialect
) -> tuple[sa.ColumnElement[bool], str, str] | None:
    """Return which values would be lost, if any can, with the problem and its remedy."""
    column: sa.ColumnClause[Any] = sa.column(name)
    sqlite = dialect.name == "sqlite"
    if (kind(old), kind(new)) == ("datetime", "date"):
        clock = f"CAST(\"{name}\" AT TIME ZONE 'UTC' AS TIME)"
        if sqlite:
            clock = f'substr("{name}", 12, 8)'
        timed = sa.literal_column(clock) != sa.literal_column("'00:00:00'")
        return timed, "has times of day", "Set them to midnight in UTC first."
    if isinstance(new, sa.String) and new.length is not None:
        too_long = sa.func.length(sa.cast(column, sa.Text)) > new.length
        problem = f"is limited to {new.length} characters, but has longer values"
        return too_long, problem, "Shorten them first."
    if kind(new) in {"decimal", "integer"} and kind(old) in {"decimal", "float"}:
        # In units of the old column, as the database stores them.
        unit = 10 ** (_scale(old) - _scale(new)) if sqlite and kind(old) == "decimal" else None
        steps = column / unit if unit else column * 10 ** _scale(new)
        whole = sa.func.round(sa.cast(steps, sa.Numeric(asdecimal=False)))
        finer = column != (whole * unit if unit else whole / float(10 ** _scale(new)))
        return finer, "has more decimal places than it will keep", "Round the values first."
    return None
