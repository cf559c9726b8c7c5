"""Which pending revisions are applied before the new version of the service starts."""

from collections.abc import Sequence
from typing import NamedTuple

from alembic.config import Config
from alembic.script import Script, ScriptDirectory

BEFORE, STOP = "before", "stop"


class Pending(NamedTuple):
    """The revisions that a database does not have, the oldest first."""

    now: Sequence[Script]
    later: Sequence[Script]


def phase(revision: Script) -> str:
    """Return the phase of a revision; those that state none are applied first."""
    return getattr(revision.module, "phase", BEFORE)


def pending(config: Config, heads: Sequence[str], *, until: str | None) -> Pending:
    """Return what to apply now: all revisions, or those before the first of another phase."""
    directory = ScriptDirectory.from_config(config)
    found = [*directory.iterate_revisions("heads", tuple(heads) or "base")][::-1]
    if until is None:
        return Pending(found, [])
    end = next((at for at, one in enumerate(found) if phase(one) != until), len(found))
    return Pending(found[:end], found[end:])
