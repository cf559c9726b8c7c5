"""How Alembic finds the models and the database."""

import asyncio
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.util import CommandError
from pydantic import ValidationError
from sqlalchemy import JSON, Connection, TypeDecorator, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import UserDefinedType
from sqlmodel import SQLModel

import app.models  # noqa: F401  # Registers the tables.
from app.db.engine import create_engine
from app.settings import DatabaseSettings
from migrations.toolkit import reflection  # noqa: F401  # Listens.
from migrations.toolkit.plan import keep_rows

LOCK_TIMEOUT = "5s"
SQLITE_BUSY_TIMEOUT_MS = 60_000
# Taken by whoever migrates, so that the others wait: any number that nothing else locks.
MIGRATION_LOCK = 4_906_071_512_377_345_024


def render_item(kind: str, item: object, autogen: AutogenContext) -> str | Literal[False]:
    """Write plain SQLAlchemy types into revisions, so that they outlive the app's own."""
    if kind == "type" and isinstance(item, JSON):
        autogen.imports.add("from sqlalchemy.dialects import postgresql")
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    if kind != "type" or not isinstance(item, TypeDecorator):
        return False
    plain = item.impl_instance
    on_sqlite = item.load_dialect_impl(sqlite.dialect())
    if isinstance(on_sqlite, type(plain) | UserDefinedType):
        return f"sa.{plain!r}"
    return f"sa.{plain!r}.with_variant(sa.{on_sqlite!r}, 'sqlite')"


def prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    """Let SQLite rebuild a table that others refer to: dropping the old one would empty them.

    Others that migrate the same file are waited for.
    """
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA foreign_keys = OFF")
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}")
    cursor.close()


def check_references(connection: Connection) -> None:
    """Refuse a migration that leaves rows which refer to nothing.

    Raises:
        RuntimeError: there are some.
    """
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise RuntimeError(f"Rows that refer to nothing (table, row, its parent, key): {broken}")


def migrate(connection: Connection) -> None:
    """Run the migrations on a connection, all in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=render_item,
        process_revision_directives=keep_rows,
    )
    if connection.dialect.name == "postgresql":
        # Until the end of the transaction, which is what PgBouncer keeps one connection for.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        # Rather give up than make everybody wait behind a lock that is not to be had.
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    with context.begin_transaction():
        context.run_migrations()
    if connection.dialect.name == "sqlite":
        check_references(connection)


def database_url() -> str:
    """Read the settings.

    Raises:
        CommandError: they are wrong; Alembic prints it as one line.
    """
    try:
        return DatabaseSettings().database_url
    except ValidationError as error:
        messages = [found["msg"].removeprefix("Value error, ") for found in error.errors()]
        raise CommandError("; ".join(messages)) from None


async def main() -> None:
    """Connect to the database of the settings and migrate it."""
    engine = create_engine(database_url())
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", prepare_sqlite)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()


asyncio.run(main())
