"""The revisions that a change is split into, and the pieces that they are made of."""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from alembic.operations import ops

Operations = Sequence[ops.MigrateOperation]


class Group(IntEnum):
    """The revisions of a change, in their order."""

    EXPAND = 1
    STOP = 2
    ONLINE = 3
    CONTRACT = 4

    @property
    def phase(self) -> str:
        """When it is applied: before the new version starts, during a stop, after the old is gone."""
        return {Group.STOP: "stop", Group.CONTRACT: "after"}.get(self, "before")


class Piece(NamedTuple):
    """Operations of the upgrade, and of the downgrade that undoes them."""

    group: Group
    rank: int
    up: Operations
    down: Operations

    @property
    def order(self) -> tuple[Group, int]:
        """Where it comes; pieces of the same order stay as they were found."""
        return self.group, self.rank
