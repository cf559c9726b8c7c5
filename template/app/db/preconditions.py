"""Scopes in which a row must be as the caller expects it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass
from typing import Any

from sqlalchemy import Executable, Select

from app.db.database import ResultRow, Values
from app.db.prepared import built_once
from app.db.scope import Scope
from app.db.statements import Model, select_row
from app.models.row import Id


@built_once
def _lock_row(model: Model) -> Select[Any]:
    """Return the statement that locks a row, where the database locks rows."""
    return select_row(model).with_only_columns(model.__table__.c.id).with_for_update()


class LockingScope(Scope):
    """The scope of a transaction, whose `get` locks the row until its end."""

    async def get(self, model: Model, row_id: Id) -> ResultRow:
        """Lock a row, and return it."""
        await self.execute_on(model, row_id, _lock_row(model))
        return await super().get(model, row_id)


@dataclass(frozen=True, slots=True)
class ConditionalScope(Scope):
    """A scope whose transactions begin with a check; each statement is part of one."""

    _: KW_ONLY
    check: Callable[[Scope], Awaitable[None]]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Scope]:
        """Open a transaction, in which the check has passed."""
        async with Scope(self.database, self.caller).transaction() as inner:
            await self.check(LockingScope(inner.database, inner.caller, inner.connection))
            yield inner

    async def execute(
        self, statement: Executable, values: Values | Sequence[Values] | None = None
    ) -> list[ResultRow]:
        """Execute a statement in a transaction of its own."""
        async with self.transaction() as inner:
            return await inner.execute(statement, values)
