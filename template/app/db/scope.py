"""Row-level access: every query and write goes through `Scope`.

To each statement it adds what the model says about a user's rows (`app/models/scoped.py`), such as
the owner in the WHERE clause, so that no id can read or change the row of another user.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from app.db.absence import absence
from app.db.database import Database
from app.db.integrity import refusal
from app.models.owned import UserId
from app.models.row import Id
from app.models.scoped import Scoped

Model = type[Scoped]
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """A database, and the user on whose behalf it is accessed."""

    database: Database
    user_id: UserId
    # The connection of the current transaction, if there is one.
    connection: AsyncConnection | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Scope"]:
        """Open a transaction, or join the current one; an error rolls it back."""
        if self.connection is not None:
            yield self
            return
        async with self.database.transaction() as connection:
            yield replace(self, connection=connection)

    async def execute(
        self, statement: sa.Executable, values: Sequence[Values] | None = None
    ) -> list[sa.RowMapping]:
        """Execute a statement, once or for each of the values, and return its rows.

        Raises:
            Conflict: a unique value is already in use.
            ValidationFailed: the database cannot store a value.
        """
        if self.connection is None:
            async with self.database.autocommit() as connection:
                return await replace(self, connection=connection).execute(statement, values)
        try:
            result = await self.connection.execute(statement, values)
        except (StatementError, ValueError, OverflowError) as error:
            raise refusal(error) from error
        return list(result.mappings()) if result.returns_rows else []

    def visible(
        self, model: Model, table: sa.FromClause | None = None
    ) -> list[sa.ColumnElement[bool]]:
        """Return the conditions for the rows in scope, in the model's table or an alias of it."""
        return model.__visible__(model.__table__ if table is None else table, self.user_id)

    def select(self, model: Model) -> sa.Select[Any]:
        """Return a query for the rows in scope."""
        return sa.select(*model.__columns__()).where(*self.visible(model))

    def updating(self, model: Model, row_id: Id, data: Values) -> ReturningUpdate[Any]:
        """Return the statement that updates a row in scope and returns it."""
        statement = sa.update(model.__table__).values(data).returning(*model.__columns__())
        return statement.where(model.__table__.c.id == row_id, *self.visible(model))

    async def get(self, model: Model, row_id: Id) -> sa.RowMapping:
        """Return a row.

        Raises:
            NotFound: the scope does not have the row.
        """
        statement = self.select(model).where(model.__table__.c.id == row_id)
        return await self.execute_on(model, row_id, statement)

    async def insert(self, model: Model, data: Values) -> sa.RowMapping:
        """Insert a row and return it.

        Raises:
            Conflict: a unique value is already in use.
        """
        values = {**data, **model.__added__(self.user_id)}
        statement = sa.insert(model.__table__).values(values).returning(model.__table__)
        [row] = await self.execute(statement)
        return row

    async def update(self, model: Model, row_id: Id, data: Values) -> sa.RowMapping:
        """Update the columns in `data` and return the row; without data, nothing is written.

        Raises:
            NotFound: the scope does not have the row.
            Conflict: a unique value is already in use.
        """
        if not data:
            return await self.get(model, row_id)
        return await self.execute_on(model, row_id, self.updating(model, row_id, data))

    async def delete(self, model: Model, row_id: Id) -> None:
        """Delete a row.

        Raises:
            NotFound: the scope does not have the row.
        """
        found = (model.__table__.c.id == row_id, *self.visible(model))
        statement = model.__deletion__().where(*found).returning(model.__table__.c.id)
        await self.execute_on(model, row_id, statement)

    async def execute_on(self, model: Model, row_id: Id, statement: sa.Executable) -> sa.RowMapping:
        """Execute a statement on one row and return the row.

        Raises:
            NotFound: the scope does not have the row.
        """
        rows = await self.execute(statement)
        if not rows:
            raise await absence(self, model, row_id)
        return rows[0]
