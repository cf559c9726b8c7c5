"""Steps of revisions that keep rows: on SQLite and PostgreSQL alike, refused where rows would suffer.

Revisions call these functions for ever, so what they do for given arguments must not change.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

Type = sa.types.TypeEngine[Any]

NOW = "now"
NOTHING: Any = object()

# Kinds of columns, by the first type that fits.
KINDS: list[tuple[str, type[Any]]] = [
    ("text", sa.String),
    ("boolean", sa.Boolean),
    ("float", sa.Float),
    ("exact", sa.Numeric),
    ("integer", sa.Integer),
    ("moment", sa.DateTime),
    ("date", sa.Date),
    ("uuid", sa.Uuid),
]
# How a value that a revision writes becomes one of its kind.
READERS: dict[str, Callable[[Any], Any]] = {
    "date": date.fromisoformat,
    "uuid": UUID,
    "float": float,
    "exact": Decimal,
}
# Which kinds keep their values in which others; texts do where they can be read so.
KEPT = {
    "text": {"text", "boolean", "float", "exact", "integer", "moment", "date", "uuid"},
    "boolean": {"text", "integer"},
    "float": {"text", "exact", "integer"},
    "exact": {"text", "float", "exact", "integer"},
    "integer": {"text", "float", "exact"},
    "date": {"text", "moment"},
    "moment": {"date"},
    "uuid": {"text"},
}


class Refused(CommandError):
    """A step that rows stand in the way of; nothing was changed."""


def _count(query: sa.Select[Any]) -> int:
    return int(op.get_bind().execute(query).scalar_one())


def _rows(table: str, *conditions: sa.ColumnElement[bool]) -> int:
    return _count(sa.select(sa.func.count()).select_from(sa.table(table)).where(*conditions))


def _refuse(found: int, problem: str, remedy: str) -> None:
    if found:
        raise Refused(f"{problem} ({found} rows). {remedy}")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _scale(type_: Type) -> int:
    """Return by what power of ten SQLite keeps a decimal number as an integer."""
    return int(getattr(type_, "scale", None) or 0) if _kind(type_) == "exact" else 0


def _stored(type_: Type, value: Any) -> Any:
    """Return a value, as a revision writes it, as the column keeps it."""
    kind = _kind(type_)
    if kind == "moment":
        moment = datetime.now(UTC) if value == NOW else datetime.fromisoformat(value)
        return moment.astimezone(UTC).replace(tzinfo=None if _is_sqlite() else UTC)
    return READERS[kind](value) if kind in READERS else value


def _fill(table: str, name: str, type_: Type, value: Any) -> None:
    """Put a value where there is none."""
    stored = _stored(type_, value)
    if _is_sqlite() and isinstance(stored, Decimal):
        stored, type_ = int(stored.scaleb(_scale(type_))), sa.BigInteger()
    column: sa.ColumnClause[Any] = sa.column(name, type_)
    target = sa.table(table, column)
    op.execute(target.update().where(column.is_(None)).values({column: stored}))


def _alter(table: str, name: str, **changes: Any) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.alter_column(name, **changes)


def add_column(table: str, column: sa.Column[Any], fill: Any = NOTHING) -> None:
    """Add a column; rows that are there get `fill`.

    Raises:
        Refused: the column is required, there are rows, and nothing to fill them with.
    """
    required = not column.nullable
    if required and fill is NOTHING:
        remedy = f'Give the field a default, or write fill=… for it in this revision ("{table}").'
        _refuse(_rows(table), f"{table}.{column.name} is required and has no default", remedy)
    name, type_ = column.name, column.type
    column.nullable = column.nullable or fill is not NOTHING
    with op.batch_alter_table(table) as batch_op:
        batch_op.add_column(column)
    if fill is not NOTHING and fill is not None:
        _fill(table, name, type_, fill)
    if required and fill is not NOTHING:
        _alter(table, name, existing_type=type_, nullable=False)


def drop_column(table: str, name: str) -> None:
    """Drop a column with all that it holds."""
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_column(name)


def rename_column(table: str, old: str, new: str) -> None:
    """Rename a column, which keeps all that it holds."""
    with op.batch_alter_table(table) as batch_op:
        batch_op.alter_column(old, new_column_name=new)


def allow_null(table: str, name: str, type_: Type) -> None:
    """Let a column hold nothing."""
    _alter(table, name, existing_type=type_, nullable=True)


def require(table: str, name: str, type_: Type, fill: Any = NOTHING) -> None:
    """Make a column required; rows without a value get `fill`.

    Raises:
        Refused: there are such rows, and nothing to fill them with.
    """
    if fill is NOTHING or fill is None:
        empty = _rows(table, sa.column(name).is_(None))
        remedy = "Fill them first, or give the field a default."
        _refuse(empty, f"{table}.{name} becomes required, but is null", remedy)
    else:
        _fill(table, name, type_, fill)
    _alter(table, name, existing_type=type_, nullable=False)


def refuse_duplicates(table: str, columns: Sequence[str], where: str | None = None) -> None:
    """Look for rows that a unique index would not allow.

    Raises:
        Refused: there are some.
    """
    key: list[sa.ColumnClause[Any]] = [sa.column(name) for name in columns]
    same = sa.select(*key).select_from(sa.table(table)).group_by(*key).having(sa.func.count() > 1)
    same = same.where(*(column.is_not(None) for column in key))
    if where is not None:
        same = same.where(sa.text(where))
    found = _count(sa.select(sa.func.count()).select_from(same.subquery()))
    problem = f"{table}: {', '.join(columns)} must be unique, but occurs twice"
    _refuse(found, problem, "Change or remove the doubles first.")


def refuse_hidden(table: str) -> None:
    """Look for rows that are hidden: without `deleted_at` they would show again.

    Raises:
        Refused: there are some.
    """
    hidden = _rows(table, sa.column("deleted_at").is_not(None))
    _refuse(hidden, f"{table} has hidden rows", "Restore them, or delete them for good, first.")


def _kind(type_: Type) -> str:
    return next((kind for kind, base in KINDS if isinstance(type_, base)), "other")


def _decimal_text(column: str, digits: int) -> str:
    """Return the SQL of a scaled integer as text, for SQLite."""
    size = 10**digits
    sign = f"CASE WHEN {column} < 0 THEN '-' ELSE '' END"
    part = f" || printf('.%0{digits}d', ABS({column}) % {size})" if digits else ""
    return f"{sign} || (ABS({column}) / {size}){part}"


def _uuid_text(column: str) -> str:
    """Return the SQL of 32 hexadecimal digits with hyphens, for SQLite."""
    cuts = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)]
    return " || '-' || ".join(f"substr({column}, {start}, {size})" for start, size in cuts)


def _on_sqlite(column: str, old: Type, new: Type) -> str | None:
    """Return the SQL for values that CAST alone would spoil."""
    before, after = 10 ** _scale(old), 10 ** _scale(new)
    return {
        ("integer", "exact"): f"{column} * {after}",
        ("float", "exact"): f"CAST(ROUND({column} * {after}) AS BIGINT)",
        ("exact", "exact"): f"{column} * {after} / {before}",
        ("exact", "float"): f"{column} / {before}.0",
        ("exact", "integer"): f"{column} / {before}",
        ("exact", "text"): _decimal_text(f"CAST({column} AS BIGINT)", _scale(old)),
        ("boolean", "text"): f"CASE {column} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END",
        ("date", "moment"): f"{column} || ' 00:00:00.000000'",
        ("moment", "date"): f"substr({column}, 1, 10)",
        ("uuid", "text"): _uuid_text(column),
    }.get((_kind(old), _kind(new)))


def _relabel(table: str, name: str, new: Type, *, nullable: bool) -> None:
    """Copy a table as if a column always had its new type: CAST would make a number of a date."""
    copied = (sa.Column(name, new, nullable=nullable),)
    with op.batch_alter_table(table, reflect_args=copied, recreate="always") as batch_op:
        batch_op.alter_column(name, type_=new)


def _change_on_sqlite(table: str, name: str, old: Type, new: Type, *, nullable: bool) -> None:
    converted = _on_sqlite(f'"{name}"', old, new)
    update = sa.table(table, sa.column(name)).update()
    if _kind(old) == "text" and _kind(new) != "text":
        for text in _texts(table, name):
            value = _as_text(new, _read(new, text))
            op.execute(update.where(sa.column(name) == text).values({name: value}))
        _relabel(table, name, new, nullable=nullable)
    elif converted is not None and _kind(new) in {"moment", "date"}:
        op.execute(update.values({name: sa.text(converted)}))
        _relabel(table, name, new, nullable=nullable)
    else:
        _alter(table, name, existing_type=old, type_=new)
        if converted is not None:
            op.execute(update.values({name: sa.text(converted)}))


def _change_on_postgresql(table: str, name: str, old: Type, new: Type) -> None:
    using = f'CAST("{name}" AS {new.compile(op.get_bind().dialect)})'
    if (_kind(old), _kind(new)) == ("date", "moment"):
        using = f"CAST(\"{name}\" AS TIMESTAMP) AT TIME ZONE 'UTC'"
    elif (_kind(old), _kind(new)) == ("moment", "date"):
        using = f"CAST(\"{name}\" AT TIME ZONE 'UTC' AS DATE)"
    _alter(table, name, existing_type=old, type_=new, postgresql_using=using)


def _texts(table: str, name: str) -> list[str]:
    """Return the different texts of a column."""
    column: sa.ColumnClause[Any] = sa.column(name)
    query = sa.select(column).select_from(sa.table(table)).where(column.is_not(None)).distinct()
    return list(op.get_bind().execute(query).scalars())


def _with_offset(text: str) -> str:
    """Return a text that names a point in time, as the API takes it.

    Raises:
        ValueError: it names none, or has no offset.
    """
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError(text)
    return text


def _read(type_: Type, text: str) -> Any:
    """Return what a text says as a value of another type.

    Raises:
        ValueError: it says none.
    """
    kind = _kind(type_)
    if kind == "boolean" and text not in {"true", "false"}:
        raise ValueError(text)
    parsers: dict[str, Callable[[str], Any]] = {
        "boolean": lambda word: word == "true",
        "integer": int,
        "moment": lambda moment: _stored(type_, _with_offset(moment)),
    }
    try:
        return (parsers.get(kind) or READERS[kind])(text)
    except ArithmeticError as error:
        raise ValueError(text) from error


def _as_text(type_: Type, value: Any) -> str:
    """Return a value as the text that SQLite's columns of its type take."""
    if isinstance(value, Decimal):
        return str(int(value.scaleb(_scale(type_))))
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.isoformat(" ", "microseconds")
    return str(int(value) if isinstance(value, bool) else value)


def _refuse_unreadable(table: str, name: str, new: Type) -> None:
    unreadable = 0
    for text in _texts(table, name):
        try:
            _read(new, text)
        except ValueError:
            unreadable += 1
    problem = f"{table}.{name} holds texts that are no {_kind(new)}"
    _refuse(unreadable, problem, "Change them first.")


def _refuse_loss(table: str, name: str, old: Type, new: Type) -> None:
    column: sa.ColumnClause[Any] = sa.column(name)
    if _kind(old) == "text" and _kind(new) != "text":
        _refuse_unreadable(table, name, new)
        return
    if (_kind(old), _kind(new)) == ("moment", "date"):
        clock = f"CAST(\"{name}\" AT TIME ZONE 'UTC' AS TIME)"
        if _is_sqlite():
            clock = f'substr("{name}", 12, 8)'
        timed = sa.literal_column(clock) != sa.literal_column("'00:00:00'")
        _refuse(_rows(table, timed), f"{table}.{name} holds times of day", "Remove them first.")
        return
    length = new.length if isinstance(new, sa.String) else None
    if length is not None:
        long = sa.func.length(sa.cast(column, sa.Text)) > length
        problem = f"{table}.{name} takes {length} characters, but holds more"
        _refuse(_rows(table, long), problem, "Shorten them first.")
    if _kind(new) in {"exact", "integer"} and _kind(old) in {"exact", "float"}:
        # In units of the old column, as the database keeps them.
        unit = 10 ** (_scale(old) - _scale(new)) if _is_sqlite() and _kind(old) == "exact" else None
        steps = column / unit if unit else column * 10 ** _scale(new)
        whole = sa.func.round(sa.cast(steps, sa.Numeric(asdecimal=False)))
        finer = column != (whole * unit if unit else whole / float(10 ** _scale(new)))
        problem = f"{table}.{name} holds more digits than it will keep"
        _refuse(_rows(table, finer), problem, "Round them first.")


def change_type(table: str, name: str, old: Type, new: Type, *, nullable: bool) -> None:
    """Give a column another type, and keep its values.

    Raises:
        Refused: values would be lost.
    """
    if _kind(new) not in KEPT.get(_kind(old), ()):
        problem = f"{table}.{name}: no value of {old!r} is one of {new!r}"
        remedy = "Remove the field first, and add it anew in another revision."
        _refuse(_rows(table), problem, remedy)
        drop_column(table, name)
        add_column(table, sa.Column(name, new, nullable=nullable))
        return
    _refuse_loss(table, name, old, new)
    if _is_sqlite():
        _change_on_sqlite(table, name, old, new, nullable=nullable)
    else:
        _change_on_postgresql(table, name, old, new)
