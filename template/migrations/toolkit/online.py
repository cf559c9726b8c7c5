"""Changes of PostgreSQL tables that do not keep readers and writers waiting.

Each function commits what came before it, runs in transactions of its own, and can be repeated: if
it fails half-way, the same command continues.

Sources: https://www.postgresql.org/docs/current/sql-altertable.html and
https://www.postgresql.org/docs/current/explicit-locking.html.
"""

import logging
import re
import time
from collections.abc import Iterable, Sequence
from typing import Any
from zlib import crc32

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError, IntegrityError

from migrations.toolkit import values
from migrations.toolkit.values import Type

# The number of pages (of 8 kB) that one transaction fills; it locks the rows that it changes.
BATCH_PAGES = 40
PROGRESS_SECONDS = 5
# How often a column is filled, if nulls are still written.
ATTEMPTS = 3
# One more than names can have.
NAME_BYTES = 64

logger = logging.getLogger("alembic.runtime.migration")


def on_postgresql() -> bool:
    """Return whether the database is PostgreSQL."""
    return op.get_context().dialect.name == "postgresql"


def is_offline() -> bool:
    """Return whether SQL is printed instead of executed."""
    return bool(op.get_context().as_sql)


def commit() -> None:
    """Commit, and begin the next transaction."""
    with op.get_context().autocommit_block():
        pass


def quoted(name: str) -> str:
    """Quote an identifier."""
    return op.get_context().dialect.identifier_preparer.quote_identifier(name)


def _scalar(query: str, **parameters: Any) -> Any:
    return op.get_bind().execute(sa.text(query), parameters).scalar()


def create_index(name: str, table: str, columns: Sequence[Any], **options: Any) -> None:
    """Create an index while rows are written; an invalid one, which a failure left, is dropped."""
    valid = None
    if not is_offline():
        query = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"
        valid = _scalar(query, name=quoted(name))
    if valid:
        return
    with op.get_context().autocommit_block():
        if valid is False or is_offline():
            _drop_index(name)
        try:
            op.create_index(name, table, columns, postgresql_concurrently=True, **options)
        except DBAPIError:
            _drop_index(name)
            raise


def _drop_index(name: str) -> None:
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {quoted(name)}")


def drop_index(name: str) -> None:
    """Drop an index, if it exists, while rows are read and written."""
    with op.get_context().autocommit_block():
        _drop_index(name)


def _validate(table: str, constraint: str) -> None:
    """Check all rows, without a lock that writers need."""
    commit()
    op.execute(f"ALTER TABLE {quoted(table)} VALIDATE CONSTRAINT {quoted(constraint)}")
    commit()


def create_foreign_key(  # noqa: PLR0913, PLR0917  # Alembic's own arguments.
    name: str,
    table: str,
    referent: str,
    columns: list[str],
    referred: list[str],
    ondelete: str | None,
) -> None:
    """Create a foreign key for new rows, then check the existing ones."""
    commit()
    _drop_constraint(table, name)
    op.create_foreign_key(
        name, table, referent, columns, referred, ondelete=ondelete, postgresql_not_valid=True
    )
    _validate(table, name)


def _drop_constraint(table: str, name: str) -> None:
    op.execute(f"ALTER TABLE {quoted(table)} DROP CONSTRAINT IF EXISTS {quoted(name)}")


def check_name(table: str, column: str, kind: str) -> str:
    """Return the name of a check, within PostgreSQL's limit of 63 bytes."""
    name = f"ck_{table}_{column}_{kind}"
    return name if len(name) < NAME_BYTES else f"{name[:50]}_{crc32(name.encode()):08x}"


def _check(table: str, name: str, condition: str) -> None:
    """Create a check for new rows, without looking at the existing ones."""
    commit()
    _drop_constraint(table, name)
    _add_check(table, name, condition)
    commit()


def _add_check(table: str, name: str, condition: str) -> None:
    op.execute(
        f"ALTER TABLE {quoted(table)} ADD CONSTRAINT {quoted(name)} CHECK ({condition}) NOT VALID"
    )


def require(table: str, column: sa.Column[Any], fill: Any) -> None:
    """Make a column required; PostgreSQL does not look at the rows again after a valid check.

    Nulls are filled before the check, which would reject every update of a row that has one.
    """
    check = check_name(table, column.name, "not_null")
    for attempt in range(1, ATTEMPTS + 1):
        if fill is not None:
            _fill(table, column, fill)
        _check(table, check, f"{quoted(column.name)} IS NOT NULL")
        try:
            _validate(table, check)
        except IntegrityError:
            _undo_check(table, check)
            if fill is None or attempt == ATTEMPTS:
                raise
        else:
            break
    op.alter_column(table, column.name, nullable=False)
    _drop_constraint(table, check)
    commit()


def _undo_check(table: str, check: str) -> None:
    """Drop a check that the rows do not meet, after its validation failed."""
    connection = op.get_bind()
    connection.rollback()
    with connection.begin():
        _drop_constraint(table, check)


def _fill(table: str, column: sa.Column[Any], fill: Any) -> None:
    """Set the nulls of a column, some pages of the table at a time, until there are none.

    The rest of the table stays writable: others may move a row with a null to an earlier page.
    """
    target: sa.ColumnClause[Any] = sa.column(column.name)
    value = values.constant(column.type, fill, op.get_context().dialect)
    update = sa.table(table, target).update().where(target.is_(None)).values({target: value})
    if is_offline():
        op.get_context().impl.static_output("-- Alembic executes this in batches.")
        op.execute(update)
        return
    commit()
    while _fill_pages(table, column.name, update):
        pass


def _fill_pages(table: str, name: str, update: sa.Update) -> int:
    """Go through all pages once, and return the number of rows that were filled."""
    size = "SELECT pg_relation_size(to_regclass(:name)) / current_setting('block_size')::int"
    start, filled, told = 0, 0, time.monotonic()
    while start <= (pages := int(_scalar(size, name=quoted(table)))):
        end = start + BATCH_PAGES
        batch = f"ctid >= CAST('({start},0)' AS tid) AND ctid < CAST('({end},0)' AS tid)"
        filled += op.get_bind().execute(update.where(sa.text(batch))).rowcount
        commit()
        start = end
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            logger.warning("%s.%s: %d of %d pages are filled", table, name, end, pages)
    return filled


def widen(table: str, name: str, type_: Type) -> None:
    """Change the type of a column to one that has all of its values in the same form.

    This does not commit.
    """
    check, length = check_name(table, name, "length"), getattr(type_, "length", None)
    _drop_constraint(table, check)
    if length is not None and not is_offline() and _is_longer(table, name, length):
        # Its length was limited by a check, which the existing rows meet.
        _add_check(table, check, _at_most(name, length))
    else:
        op.alter_column(table, name, type_=type_)


def _is_longer(table: str, name: str, length: int) -> bool:
    """Return whether a string column may be longer, or has no limit."""
    query = """
        SELECT atttypmod - 4 FROM pg_attribute
        WHERE attrelid = to_regclass(:table) AND attname = :name
    """
    limit = int(_scalar(query, table=quoted(table), name=name))
    return limit < 0 or limit > length


def narrow(table: str, name: str, length: int) -> None:
    """Limit the length of a string by a check, as a shorter type would lock out everybody."""
    check = check_name(table, name, "length")
    _check(table, check, _at_most(name, length))
    _validate(table, check)


def _at_most(name: str, length: int) -> str:
    return f"char_length({quoted(name)}) <= {length}"


def length_limit(checks: Iterable[Any], table: str, column: str) -> int | None:
    """Return the length to which a check limits a column, if one of its table's checks does."""
    for check in checks:
        if check["name"] == check_name(table, column, "length"):
            found = re.search(r"<= (\d+)", check["sqltext"])
            return int(found[1]) if found else None
    return None


def create_enum(type_: Any) -> None:
    """Create the type of a native enum, which adding a column does not."""
    if isinstance(type_, sa.Enum) and type_.native_enum and type_.name:
        native = postgresql.ENUM(*type_.enums, name=type_.name)
        if is_offline() or _scalar("SELECT to_regtype(:name)", name=quoted(type_.name)) is None:
            op.execute(postgresql.CreateEnumType(native))


def drop_enum(name: str) -> None:
    """Drop the type of a native enum, unless a column still has it."""
    query = "SELECT 1 FROM pg_attribute WHERE atttypid = to_regtype(:name) AND NOT attisdropped"
    if is_offline() or _scalar(query, name=quoted(name)) is None:
        op.execute(f"DROP TYPE IF EXISTS {quoted(name)}")
