"""How Alembic finds the models and the database."""

import asyncio

from alembic import context
from alembic.util import CommandError
from pydantic import ValidationError
from sqlalchemy import Connection, event
from sqlmodel import SQLModel

import app.models  # noqa: F401  # Registers the tables.
from app.db.engine import create_engine
from app.settings import DatabaseSettings
from migrations.toolkit import connections, reflection
from migrations.toolkit.directives import process_revision_directives
from migrations.toolkit.rendering import render_item

# How long a statement waits for a lock on PostgreSQL before the migration gives up.
LOCK_TIMEOUT = "5s"


def migrate(connection: Connection) -> None:
    """Run the migrations on a connection, all in one transaction."""
    reflection.listen()
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=render_item,
        process_revision_directives=process_revision_directives,
    )
    connections.lock(connection, LOCK_TIMEOUT)
    with context.begin_transaction():
        context.run_migrations()
    connections.check_references(connection)


def database_url() -> str:
    """Read the settings.

    Raises:
        CommandError: they are invalid; Alembic prints the error as one line.
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
        event.listen(engine.sync_engine, "connect", connections.prepare_sqlite)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()


asyncio.run(main())
