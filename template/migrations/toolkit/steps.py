"""Operations of revisions that keep existing rows, on SQLite and PostgreSQL.

They have the names and arguments of Alembic's own, and refuse to run where values would be lost.
Applied revisions call them, so what they do with given arguments must not change.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

from migrations.toolkit import values
from migrations.toolkit.values import Type


class MigrationRefused(CommandError):
    """Existing rows do not allow a step; nothing was changed."""


def add_column(table: str, column: sa.Column[Any], *, fill: Any = None) -> None:
    """Add a column; existing rows get `fill`.

    Raises:
        MigrationRefused: the column is required, and existing rows would have no value.
    """
    required = not column.nullable
    if required and fill is None:
        problem = f"{table}.{column.name} is required and has no default"
        _refuse(_rows(table), problem, "Give the field a default, or fill=… in this revision.")
    column.nullable = column.nullable or fill is not None
    with op.batch_alter_table(table) as batch_op:
        batch_op.add_column(column)
    if fill is not None:
        _fill(table, column.name, column.type, fill)
        if required:
            _alter(table, column.name, existing_type=column.type, nullable=False)


def alter_column(  # noqa: PLR0913  # Alembic's own arguments.
    table: str,
    name: str,
    *,
    existing_type: Type,
    existing_nullable: bool = False,
    new_column_name: str | None = None,
    type_: Type | None = None,
    nullable: bool | None = None,
    fill: Any = None,
) -> None:
    """Rename a column, change its type, or whether it may be null; nulls get `fill`.

    Raises:
        MigrationRefused: values would be lost, or the column becomes required and has nulls.
    """
    if new_column_name is not None:
        _alter(table, name, new_column_name=new_column_name)
        name = new_column_name
    if type_ is not None:
        # Alembic states the old nullability only where it stays.
        was_nullable = existing_nullable if nullable is None else not nullable
        _change_type(table, sa.Column(name, type_, nullable=was_nullable), existing_type)
        existing_type = type_
    if nullable is False and fill is not None:
        _fill(table, name, existing_type, fill)
    elif nullable is False:
        nulls = _rows(table, sa.column(name).is_(None))
        problem = f"{table}.{name} becomes required, but has nulls"
        _refuse(nulls, problem, "Set them first, or give the field a default.")
    if nullable is not None:
        _alter(table, name, existing_type=existing_type, nullable=nullable)


def refuse_duplicates(table: str, columns: Sequence[str], *, where: str | None = None) -> None:
    """Check that a unique index can be created.

    Raises:
        MigrationRefused: rows have the same values.
    """
    key: list[sa.ColumnClause[Any]] = [sa.column(name) for name in columns]
    same = sa.select(*key).select_from(sa.table(table)).group_by(*key).having(sa.func.count() > 1)
    same = same.where(*(column.is_not(None) for column in key))
    if where is not None:
        same = same.where(sa.text(where))
    found = _count(sa.select(sa.func.count()).select_from(same.subquery()))
    problem = f"{table}: {', '.join(columns)} must be unique, but has duplicates"
    _refuse(found, problem, "Change or delete them first.")


def refuse_soft_deleted(table: str) -> None:
    """Check that no row is soft-deleted: without `deleted_at` it would be visible again.

    Raises:
        MigrationRefused: rows are soft-deleted.
    """
    found = _rows(table, sa.column("deleted_at").is_not(None))
    _refuse(found, f"{table} has soft-deleted rows", "Restore or delete them first.")


def _change_type(table: str, column: sa.Column[Any], old: Type) -> None:
    """Change the type of a column, which is passed with its new type and old nullability."""
    name, new, dialect = column.name, column.type, op.get_bind().dialect
    if not values.convertible(old, new):
        problem = f"{table}.{name}: {old!r} cannot be converted to {new!r}"
        _refuse(_rows(table), problem, "Remove the field, and add it again in another revision.")
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column(name)
        with op.batch_alter_table(table) as batch_op:
            batch_op.add_column(column)
        return
    if values.parsed(old, new):
        _refuse_invalid(table, name, new)
    elif loss := values.loss(name, old, new, dialect):
        condition, problem, remedy = loss
        _refuse(_rows(table, condition), f"{table}.{name} {problem}", remedy)
    if dialect.name == "sqlite":
        _change_type_on_sqlite(table, column, old)
    else:
        using = values.postgresql_conversion(name, old, new, dialect)
        _alter(table, name, existing_type=old, type_=new, postgresql_using=using)


def _refuse_invalid(table: str, name: str, new: Type) -> None:
    column: sa.ColumnClause[Any] = sa.column(name)
    query = sa.select(column).select_from(sa.table(table)).where(column.is_not(None)).distinct()
    invalid = 0
    for string in op.get_bind().execute(query).scalars():
        try:
            values.parse(new, string)
        except ValueError:
            invalid += 1
    problem = f"{table}.{name} has strings that are not a valid {values.kind(new)}"
    _refuse(invalid, problem, "Change them first.")


def _change_type_on_sqlite(table: str, column: sa.Column[Any], old: Type) -> None:
    name, new = column.name, column.type
    conversion = values.sqlite_conversion(name, old, new)
    # CAST would make numbers of dates: the values are written first, and copied as they are.
    copied = values.parsed(old, new) or values.kind(new) in {"datetime", "date"}
    if not copied:
        _alter(table, name, existing_type=old, type_=new)
    if values.parsed(old, new):
        _parse_strings(table, name, new)
    elif conversion is not None:
        op.execute(sa.table(table, sa.column(name)).update().values({name: sa.text(conversion)}))
    if copied:
        with op.batch_alter_table(table, reflect_args=(column,), recreate="always") as batch_op:
            batch_op.alter_column(name, type_=new)


def _parse_strings(table: str, name: str, new: Type) -> None:
    column: sa.ColumnClause[Any] = sa.column(name)
    row_id: sa.ColumnClause[Any] = sa.column("_rowid_")
    target = sa.table(table, column, row_id)
    bind = op.get_bind()
    rows = bind.execute(sa.select(row_id, column).where(column.is_not(None))).all()
    found = [{"row": row, "new": values.sqlite_string(new, string)} for row, string in rows]
    if found:
        update = target.update().where(row_id == sa.bindparam("row"))
        bind.execute(update.values({name: sa.bindparam("new")}), found)


def _fill(table: str, name: str, type_: Type, fill: Any) -> None:
    """Set the nulls of a column."""
    value = values.parameter(type_, fill, op.get_bind().dialect)
    # A decimal that is an integer on SQLite.
    type_ = sa.BigInteger() if isinstance(value, int) and values.kind(type_) == "decimal" else type_
    column: sa.ColumnClause[Any] = sa.column(name, type_)
    op.execute(sa.table(table, column).update().where(column.is_(None)).values({column: value}))


def _alter(table: str, name: str, **changes: Any) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.alter_column(name, **changes)


def _count(query: sa.Select[Any]) -> int:
    return int(op.get_bind().execute(query).scalar_one())


def _rows(table: str, *conditions: sa.ColumnElement[bool]) -> int:
    return _count(sa.select(sa.func.count()).select_from(sa.table(table)).where(*conditions))


def _refuse(found: int, problem: str, remedy: str) -> None:
    if found:
        raise MigrationRefused(f"{problem} ({found} rows). {remedy}")
