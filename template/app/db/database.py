"""Connections to the database: for single statements, and for transactions."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

from sqlalchemy import Executable, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.db.connections import CLOSE_TIMEOUT_SECONDS
from app.db.engine import create_engine
from app.db.outages import did_nothing, is_temporary, only_reads
from app.errors import ServiceUnavailable

# For everything in a block of `autocommit` or `transaction`: waiting for the pool, connecting, the
# statements, the commit. Together with closing a connection that does not answer, it is below 5 s.
ANSWER_TIMEOUT_SECONDS = 4


class _Connection(AsyncConnection):
    """A connection that retries its first statement if the server had closed the session.

    Only statements without an effect are retried: SELECT, statements in a transaction, which has
    committed nothing yet, and those that the server certainly did not run.
    """

    __slots__ = ("autocommits", "is_used")

    autocommits: bool
    is_used: bool

    async def execute(
        self, statement: Executable, parameters: Any = None, *, execution_options: Any = None
    ) -> Any:
        """Execute a statement; retry it if that is safe."""
        first, self.is_used = not self.is_used, True
        try:
            return await super().execute(statement, parameters, execution_options=execution_options)
        except DBAPIError as error:
            if not first or not error.connection_invalidated:
                raise
            if self.autocommits and not only_reads(statement):
                # Of several rows, some may have been stored.
                several = not isinstance(parameters, Mapping | None)
                if several or not did_nothing(error):
                    raise
        await self.rollback()
        return await super().execute(statement, parameters, execution_options=execution_options)

    async def begin_transaction(self) -> None:
        """Begin a transaction, on a second connection if the first one was closed."""
        try:
            await self.begin()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            await self.begin()


@asynccontextmanager
async def _connection(engine: AsyncEngine, *, autocommit: bool) -> AsyncIterator[_Connection]:
    connection = _Connection(engine)
    connection.is_used, connection.autocommits = False, autocommit
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS) as answer:
            try:
                await connection.start()
            except (SQLAlchemyError, OSError) as error:
                raise ServiceUnavailable from error
            try:
                yield connection
            except (SQLAlchemyError, OSError) as error:
                if connection.invalidated or is_temporary(error):
                    raise ServiceUnavailable from error
                raise
            finally:
                await connection.close()
    except TimeoutError:
        if not answer.expired():
            raise
        late = TimeoutError(f"no answer from the database within {ANSWER_TIMEOUT_SECONDS} s")
        raise ServiceUnavailable from late


class Database:
    """Access to one database: single statements, and transactions.

    Each has its own engine, because switching a connection between AUTOCOMMIT and transactions
    takes time. Both raise ServiceUnavailable if the database does not answer in time, or has a
    temporary error.
    """

    def __init__(self, url: str) -> None:
        self._statements = create_engine(url, autocommit=True)
        self._transactions = create_engine(url)

    def autocommit(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Open a connection on which each statement commits by itself."""
        return _connection(self._statements, autocommit=True)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction: committed at the end of the block, rolled back on an error."""
        async with _connection(self._transactions, autocommit=False) as connection:
            await connection.begin_transaction()
            try:
                yield connection
            except BaseException:
                with suppress(SQLAlchemyError, OSError):
                    async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                        await connection.rollback()
                raise
            await connection.commit()

    async def ping(self) -> None:
        """Check that the database answers.

        Raises:
            ServiceUnavailable: it does not.
        """
        async with self.autocommit() as connection:
            await connection.execute(text("SELECT 1"))

    async def dispose(self) -> None:
        """Close all connections."""
        await self._statements.dispose()
        await self._transactions.dispose()
