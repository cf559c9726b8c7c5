"""Changes of a column's type, which keep its values or are refused."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.toolkit import values
from migrations.toolkit.online import is_offline, on_postgresql
from migrations.toolkit.refusals import refuse, refuse_rows
from migrations.toolkit.values import Type


def change_type(table: str, column: sa.Column[Any], old: Type) -> None:
    """Change the type of a column, which is passed with its new type and old nullability."""
    name, new, dialect = column.name, column.type, op.get_context().dialect
    rows = sa.select(sa.literal(1)).select_from(sa.table(table))
    if not values.convertible(old, new):
        problem = f"{table}.{name}: {old!r} cannot be converted to {new!r}"
        refuse_rows(rows, problem, "Remove the field, and add it again in another revision.")
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column(name)
        with op.batch_alter_table(table) as batch_op:
            batch_op.add_column(column)
        return
    refuse_loss(table, name, old, new)
    if on_postgresql():
        using = values.postgresql_conversion(name, old, new, dialect)
        op.alter_column(table, name, existing_type=old, type_=new, postgresql_using=using)
    else:
        _change_type_on_sqlite(table, column, old)


def refuse_loss(table: str, name: str, old: Type, new: Type) -> None:
    """Check that no value is lost by a change of the type.

    Raises:
        MigrationRefused: there are such values.
    """
    if values.parsed(old, new):
        _refuse_invalid(table, name, new)
    elif loss := values.loss(name, old, new, op.get_context().dialect):
        condition, problem, remedy = loss
        lost = sa.select(sa.literal(1)).select_from(sa.table(table)).where(condition)
        refuse_rows(lost, f"{table}.{name} {problem}", remedy)


def _refuse_invalid(table: str, name: str, new: Type) -> None:
    if is_offline():
        return
    column: sa.ColumnClause[Any] = sa.column(name)
    query = sa.select(column).select_from(sa.table(table)).where(column.is_not(None)).distinct()
    invalid = 0
    for string in op.get_bind().execute(query).scalars():
        try:
            values.parse(new, string)
        except ValueError:
            invalid += 1
    problem = f"{table}.{name} has strings that are not a valid {values.kind(new)}"
    refuse(invalid, problem, "Change them first.")


def _change_type_on_sqlite(table: str, column: sa.Column[Any], old: Type) -> None:
    name, new = column.name, column.type
    conversion = values.sqlite_conversion(name, old, new)
    # CAST would make numbers of dates: the values are written first, and copied as they are.
    copied = values.parsed(old, new) or values.kind(new) in {"datetime", "date"}
    if not copied:
        with op.batch_alter_table(table) as batch_op:
            batch_op.alter_column(name, existing_type=old, type_=new)
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
