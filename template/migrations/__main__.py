"""Upgrade the database of `DATABASE_URL`.

`python -m migrations` upgrades to the newest revision, and `python -m migrations before` to what the
running version of the service can live with.
"""

import asyncio
import sys
from collections.abc import Sequence

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script
from alembic.util import CommandError
from pydantic import ValidationError

from app.db.engine import create_engine
from app.settings import DatabaseSettings
from migrations.toolkit.phases import BEFORE, STOP, pending, phase

NEEDS_STOP = """\
Stop the service for the first of them; docs/migrations.md describes the way without, in two releases.
"""
LATER = """\
Not applied, because the running version could not live with it:
{later}
When every process runs the new version, run `make migrate`.
"""


async def current_heads() -> Sequence[str]:
    """Return the revisions of the database."""
    engine = create_engine(DatabaseSettings().database_url)
    async with engine.connect() as connection:
        heads: Sequence[str] = await connection.run_sync(
            lambda sync: MigrationContext.configure(sync).get_current_heads()
        )
    await engine.dispose()
    return heads


def lines(revisions: Sequence[Script]) -> str:
    """Return a line for each revision."""
    found = [f"  {one.revision} {' '.join(one.doc.split())}" for one in revisions]
    return "\n".join(found)


def main(arguments: Sequence[str]) -> str | None:
    """Upgrade, say what was done and what was not, and return the error, if there is one."""
    if arguments not in ([], [BEFORE]):
        return "usage: python -m migrations [before]; with make: make migrate [PHASE=before]"
    config = Config(toml_file="pyproject.toml")
    try:
        heads = asyncio.run(current_heads())
        now, later = pending(config, heads, until=BEFORE if arguments else None)
        if now:
            command.upgrade(config, now[-1].revision if arguments else "head")
            sys.stdout.write(f"Applied:\n{lines(now)}\n")
        elif not later:
            sys.stdout.write("The database has the newest revision.\n")
    except ValidationError as error:
        return "; ".join(found["msg"].removeprefix("Value error, ") for found in error.errors())
    except CommandError as error:
        return str(error)
    if later:
        sys.stdout.write(LATER.format(later=lines(later)))
    if any(phase(one) == STOP for one in later[:1]):
        sys.stdout.write(NEEDS_STOP)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
