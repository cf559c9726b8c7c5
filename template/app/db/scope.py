"""Row-level access: every query and write goes through `Scope`, on behalf of a caller."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from sqlalchemy import Executable
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.absence import absence
from app.db.caller import Caller
from app.db.database import Database, Parameters, ResultRow, Values, rows_of
from app.db.integrity import refusal
from app.db.statements import Model, delete_row, insert_row, select_row, update_row
from app.models.row import Id


@dataclass(frozen=True, slots=True)
class Scope:
    """A database, and the caller on whose behalf it is accessed."""

    database: Database
    caller: Caller
    # The connection of the current transaction, if there is one.
    connection: AsyncConnection | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Scope"]:
        """Open a transaction, or join the current one; an error rolls it back."""
        if self.connection is not None:
            yield self
            return
        async with self.database.transaction() as connection:
            inner = replace(self, connection=connection)
            await self.caller.check(inner.run)
            yield inner

    async def run(self, statement: Executable, parameters: Parameters) -> list[ResultRow]:
        """Execute a statement, in the current transaction or by itself."""
        if self.connection is None:
            return await self.database.execute(statement, parameters)
        return rows_of(await self.connection.execute(statement, parameters))

    async def execute(
        self, statement: Executable, values: Values | Sequence[Values] | None = None
    ) -> list[ResultRow]:
        """Execute a statement, once or for each of the values, and return its rows.

        Raises:
            Unauthorized: the session of the caller has ended.
            Conflict: a unique value is already in use.
            ValidationFailed: the database cannot store a value.
        """
        caller = self.caller.parameters
        if values is None or isinstance(values, Mapping):
            parameters: Parameters = {**caller, **(values or {})}
        else:
            parameters = [{**caller, **each} for each in values]
        try:
            rows = await self.run(statement, parameters)
        except (StatementError, ValueError, OverflowError) as error:
            await self._check()
            raise refusal(error) from error
        if not rows:
            await self._check()
        return rows

    async def aggregate(self, statement: Executable) -> ResultRow:
        """Execute a statement of aggregates over the rows in scope, and return its only row."""
        [row] = await self.execute(statement)
        if not any(row.values()):
            await self._check()
        return row

    async def _check(self) -> None:
        """Check the caller: statements of an ended session find nothing, and insert nothing."""
        if self.connection is None:  # A transaction has begun with it.
            await self.caller.check(self.run)

    async def get(self, model: Model, row_id: Id) -> ResultRow:
        """Return a row.

        Raises:
            NotFound: the scope does not have the row.
        """
        return await self.execute_on(model, row_id, select_row(model))

    async def insert(self, model: Model, data: Values) -> ResultRow:
        """Insert a row and return it.

        Raises:
            Conflict: a unique value is already in use.
        """
        if not model.__added__():
            await self._check()
        [row] = await self.execute(insert_row(model), data)
        return row

    async def update(self, model: Model, row_id: Id, data: Values) -> ResultRow:
        """Update the columns in `data` and return the row; without data, nothing is written.

        Raises:
            NotFound: the scope does not have the row.
            Conflict: a unique value is already in use.
        """
        if not data:
            return await self.get(model, row_id)
        return await self.execute_on(model, row_id, update_row(model), data)

    async def delete(self, model: Model, row_id: Id) -> None:
        """Delete a row.

        Raises:
            NotFound: the scope does not have the row.
        """
        await self.execute_on(model, row_id, delete_row(model))

    async def execute_on(
        self, model: Model, row_id: Id, statement: Executable, values: Values | None = None
    ) -> ResultRow:
        """Execute a statement on the row with an id, `ROW_ID`, and return the row.

        Raises:
            NotFound: the scope does not have the row.
        """
        rows = await self.execute(statement, {**(values or {}), "_row_id": row_id})
        if not rows:
            raise await absence(self, model, row_id)
        return rows[0]
