"""How Alembic finds the models and the database."""

import asyncio
from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import app.models  # noqa: F401  # Registers the tables.
from app.database import create_engine
from app.settings import Settings


def render_item(kind: str, item: object, _autogen: AutogenContext) -> str | Literal[False]:
    """Write plain SQLAlchemy types into revisions, so that they outlive the app's own."""
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.{item.impl_instance!r}"
    return False


def migrate(connection: Connection) -> None:
    """Run the migrations on a connection, all in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    """Connect to the database of the settings and migrate it."""
    engine = create_engine(Settings().database_url)
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


asyncio.run(main())
