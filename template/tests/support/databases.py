"""Temporary databases for tests: created for them, and dropped afterwards."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from anyio import to_thread

from scripts.temporary_database import SERVER_URL, empty_database, with_database

__all__ = ["SERVER_URL", "alembic", "empty_database", "needs_server", "with_database"]

needs_server = pytest.mark.skipif(not SERVER_URL, reason="needs a PostgreSQL server")


async def alembic(url: str, action: str, *arguments: str, scripts: Path | None = None) -> None:
    """Run an Alembic command on a database; `scripts` replaces the folder of the migrations."""
    config = Config(toml_file="pyproject.toml")
    if scripts:
        config.set_main_option("script_location", str(scripts))

    def run() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DATABASE_URL", url)
            getattr(command, action)(config, *arguments)

    # In a thread, because the migrations run their own event loop.
    await to_thread.run_sync(run)
