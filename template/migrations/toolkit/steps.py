"""Operations of revisions that keep existing rows, on SQLite and PostgreSQL.

They have the names and arguments of Alembic's own where there is one, and refuse to run where values
would be lost. Applied revisions call them, so what they do with given arguments must not change.

On PostgreSQL, they do not block reads and writes for long: rows are checked without a lock that
readers or writers need, and filled in batches. The functions that do so commit, and can be repeated:
if one fails or is interrupted, the same command continues.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import IntegrityError

from migrations.toolkit import online, values
from migrations.toolkit.conversions import change_type, refuse_loss
from migrations.toolkit.online import on_postgresql
from migrations.toolkit.refusals import MigrationRefused, refuse_nulls, refuse_rows
from migrations.toolkit.values import Type


def add_column(table: str, column: sa.Column[Any], *, fill: Any = None) -> None:
    """Add a column; existing rows get `fill`.

    PostgreSQL keeps it as the default of the column, so that a version of the service that does not
    know the column can insert rows, until `drop_default`.
    """
    if on_postgresql():
        if fill is not None:
            column.server_default = sa.DefaultClause(_constant(column, fill))
        online.create_enum(column.type)
        op.add_column(table, column, if_not_exists=True)
        return
    required, column.nullable = not column.nullable, column.nullable or fill is not None
    with op.batch_alter_table(table) as batch_op:
        batch_op.add_column(column)
    if fill is not None:
        _fill(table, column, fill)
        if required:
            _alter(table, column.name, existing_type=column.type, nullable=False)


def set_default(table: str, column: sa.Column[Any], *, fill: Any) -> None:
    """Give a column a default in the database, for a version that does not know the column."""
    _alter(table, column.name, existing_type=column.type, server_default=_constant(column, fill))


def drop_default(table: str, name: str) -> None:
    """Drop the default that `add_column` or `set_default` left."""
    if on_postgresql() or _has_default(table, name):
        _alter(table, name, server_default=None)


def _has_default(table: str, name: str) -> bool:
    columns = sa.inspect(op.get_bind()).get_columns(table)
    return any(column["default"] for column in columns if column["name"] == name)


def drop_column(table: str, name: str) -> None:
    """Drop a column."""
    if on_postgresql():
        op.drop_column(table, name, if_exists=True)
        return
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_column(name)


def drop_table(table: str) -> None:
    """Drop a table."""
    op.drop_table(table, if_exists=True)


def drop_enum(name: str) -> None:
    """Drop the type of a native enum that no column has any more."""
    if on_postgresql():
        online.drop_enum(name)


def allow_null(table: str, column: sa.Column[Any]) -> None:
    """Let a column be null."""
    _alter(table, column.name, existing_type=column.type, nullable=True)


def require(table: str, column: sa.Column[Any], *, fill: Any = None) -> None:
    """Make a column required; nulls get `fill`. On PostgreSQL, this commits.

    Raises:
        MigrationRefused: there are nulls and nothing to replace them, or rows of a unique index
            would be equal.
    """
    if fill is None:
        refuse_nulls(table, column.name)
    try:
        if on_postgresql():
            online.require(table, column, fill)
            return
        if fill is not None:
            _fill(table, column, fill)
    except IntegrityError as error:
        problem = f"{table}.{column.name} cannot be required: nulls are still written, or"
        raise MigrationRefused(f"{problem} the default occurs twice in a unique index") from error
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
        change_type(table, sa.Column(name, type_, nullable=was_nullable), existing_type)
        existing_type = type_
    if nullable is False and fill is not None:
        _fill(table, sa.Column(name, existing_type), fill)
    elif nullable is False:
        refuse_nulls(table, name)
    if nullable is not None:
        _alter(table, name, existing_type=existing_type, nullable=nullable)


def widen_column(
    table: str, name: str, *, existing_type: Type, type_: Type, existing_nullable: bool = False
) -> None:
    """Let a string be longer, or a decimal have more digits. No row changes."""
    if on_postgresql():
        online.widen(table, name, type_)
    else:
        change_type(table, sa.Column(name, type_, nullable=existing_nullable), existing_type)


def narrow_column(
    table: str, name: str, *, existing_type: Type, type_: sa.String, existing_nullable: bool = False
) -> None:
    """Limit the length of a string. On PostgreSQL, this is a check, and commits.

    Raises:
        MigrationRefused: values are longer.
    """
    if on_postgresql():
        refuse_loss(table, name, existing_type, type_)
        online.narrow(table, name, type_.length or 0)
    else:
        change_type(table, sa.Column(name, type_, nullable=existing_nullable), existing_type)


def create_index(
    name: str, table: str, columns: Sequence[Any], *, unique: bool = False, **options: Any
) -> None:
    """Create an index. On PostgreSQL, this commits.

    Raises:
        MigrationRefused: a unique index would have the same values twice.
    """
    if unique:
        refuse_duplicates(table, [str(column) for column in columns], where=_condition(options))
    try:
        if on_postgresql():
            online.create_index(name, table, columns, unique=unique, **options)
        else:
            op.create_index(name, table, columns, unique=unique, **options)
    except IntegrityError as error:
        raise MigrationRefused(f"{table}: rows of {name} must be unique, but are not") from error


def _condition(options: dict[str, Any]) -> str | None:
    where = options.get("sqlite_where", options.get("postgresql_where"))
    return None if where is None else str(where)


def drop_index(name: str, table_name: str, **_options: Any) -> None:
    """Drop an index. On PostgreSQL, this commits."""
    if on_postgresql():
        online.drop_index(name)
    else:
        op.drop_index(name, table_name, if_exists=True)


def rename_index(table: str, old: str, new: str) -> None:
    """Rename an index."""
    if on_postgresql():
        op.execute(f'ALTER INDEX "{old}" RENAME TO "{new}"')
        return
    query = "SELECT sql FROM sqlite_master WHERE type = 'index' AND name = :name"
    created = op.get_bind().execute(sa.text(query), {"name": old}).scalar_one()
    op.drop_index(old, table)
    op.get_bind().exec_driver_sql(created.replace(old, new, 1))


def create_foreign_key(  # noqa: PLR0913, PLR0917  # Alembic's own arguments.
    name: str,
    table: str,
    referent: str,
    columns: list[str],
    referred: list[str],
    ondelete: str | None = None,
) -> None:
    """Create a foreign key. On PostgreSQL, this commits."""
    if on_postgresql():
        online.create_foreign_key(name, table, referent, columns, referred, ondelete)
        return
    with op.batch_alter_table(table) as batch_op:
        batch_op.create_foreign_key(name, referent, columns, referred, ondelete=ondelete)


def drop_constraint(name: str, table: str, type_: str | None = None) -> None:
    """Drop a foreign key, or another constraint."""
    if on_postgresql():
        op.execute(f'ALTER TABLE IF EXISTS "{table}" DROP CONSTRAINT IF EXISTS "{name}"')
        return
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(name, type_=type_)


def rename_foreign_key(table: str, old: str, new: str) -> None:
    """Rename a foreign key."""
    if on_postgresql():
        op.execute(f'ALTER TABLE "{table}" RENAME CONSTRAINT "{old}" TO "{new}"')
        return
    keys = sa.inspect(op.get_bind()).get_foreign_keys(table)
    key = next(key for key in keys if key["name"] == old)
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(old, type_="foreignkey")
        batch_op.create_foreign_key(
            new,
            key["referred_table"],
            key["constrained_columns"],
            key["referred_columns"],
            ondelete=key["options"].get("ondelete"),
        )


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
    problem = f"{table}: {', '.join(columns)} must be unique, but has duplicates"
    refuse_rows(same, problem, "Change or delete them first.")


def refuse_soft_deleted(table: str) -> None:
    """Check that no row is soft-deleted: without `deleted_at` it would be visible again.

    Raises:
        MigrationRefused: rows are soft-deleted.
    """
    deleted = sa.select(sa.literal(1)).select_from(sa.table(table))
    deleted = deleted.where(sa.column("deleted_at").is_not(None))
    refuse_rows(deleted, f"{table} has soft-deleted rows", "Restore or delete them first.")


def refuse_without_value(table: str, name: str) -> None:
    """Check that no row exists that would have no value in a new required column.

    Raises:
        MigrationRefused: there are rows.
    """
    rows = sa.select(sa.literal(1)).select_from(sa.table(table))
    problem = f"{table}.{name} is required and has no default"
    refuse_rows(rows, problem, "Give the field a default, or add_column in this revision a fill=….")


def _constant(column: sa.Column[Any], fill: Any) -> sa.ColumnElement[Any]:
    return values.constant(column.type, fill, op.get_context().dialect)


def _fill(table: str, column: sa.Column[Any], fill: Any) -> None:
    """Set the nulls of a column."""
    type_ = column.type
    value = values.parameter(type_, fill, op.get_bind().dialect)
    # A decimal that is an integer on SQLite.
    type_ = sa.BigInteger() if isinstance(value, int) and values.kind(type_) == "decimal" else type_
    target: sa.ColumnClause[Any] = sa.column(column.name, type_)
    update = sa.table(table, target).update().where(target.is_(None))
    op.execute(update.values({column.name: value}))


def _alter(table: str, name: str, **changes: Any) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.alter_column(name, **changes)
