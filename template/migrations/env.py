"""How Alembic finds the models and the database."""

from typing import Any

from alembic import context
from alembic.util import CommandError
from pydantic import ValidationError
from sqlalchemy import Connection
from sqlmodel import SQLModel

import app.models  # noqa: F401  # Registers the tables.
import migrations.toolkit.sqlite  # noqa: F401  # Keeps triggers when a table is replaced.
from app.db.engine import create_engine
from app.settings import DatabaseSettings
from migrations.toolkit import connections, reflection
from migrations.toolkit.directives import process_revision_directives
from migrations.toolkit.rendering import render_item

# How long a statement waits for a lock on PostgreSQL. Then its revision is rolled back, and tried
# again after each of these pauses.
LOCK_TIMEOUT = "2s"
PAUSES_SECONDS = (1, 3, 9)


def configure(**options: Any) -> None:
    """Configure Alembic."""
    context.configure(
        target_metadata=SQLModel.metadata,
        transaction_per_migration=True,
        render_as_batch=True,
        compare_type=reflection.compare_type,
        render_item=render_item,
        process_revision_directives=process_revision_directives,
        **options,
    )


def migrate(connection: Connection) -> None:
    """Run the migrations on a connection."""
    reflection.listen()
    configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


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
    connections.prepare(engine, LOCK_TIMEOUT)
    try:
        await connections.migrate(engine, migrate, PAUSES_SECONDS)
    finally:
        await engine.dispose()


def write_sql() -> None:
    """Print the SQL of PostgreSQL instead of executing it (`alembic upgrade --sql`)."""
    configure(dialect_name="postgresql+asyncpg", literal_binds=True)
    with context.begin_transaction():
        context.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        context.run_migrations()


if context.is_offline_mode():
    write_sql()
else:
    connections.run(main)
