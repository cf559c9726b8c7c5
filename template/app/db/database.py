"""Access to the database: single statements, and transactions."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Executable, text
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.util import greenlet_spawn

from app.db.connections import CLOSE_TIMEOUT_SECONDS
from app.db.engine import POOL_SIZE, POOL_TIMEOUT_SECONDS, create_engine
from app.db.outages import (
    DRIVER_ERRORS,
    did_nothing,
    is_disconnect,
    is_outdated,
    is_temporary,
    only_reads,
)
from app.db.prepared import prepare
from app.errors import ServiceUnavailable

if TYPE_CHECKING:
    from sqlalchemy.pool import QueuePool

# For everything in a call of `execute` or a block of `transaction`: waiting for the pool, connecting,
# the statements, the commit. Together with closing a connection that does not answer, it is below 5 s.
ANSWER_TIMEOUT_SECONDS = 4

BEGIN = {"postgresql": "BEGIN", "sqlite": "BEGIN IMMEDIATE"}

ResultRow = dict[str, Any]
Values = Mapping[str, Any]
Parameters = Values | Sequence[Values] | None


def rows_of(result: CursorResult[Any]) -> list[ResultRow]:
    """Return the rows of a result, by the names of their columns."""
    if not result.returns_rows:
        return []
    names = tuple(result.keys())
    return [dict(zip(names, row, strict=True)) for row in result]


def _can_repeat(error: DBAPIError, statement: Executable, parameters: Parameters) -> bool:
    """Return whether a statement may run again.

    It may if the server had closed the connection, and it only reads or certainly had no effect; or
    if its table was changed since it was prepared.
    """
    if is_outdated(error):
        return True
    if not error.connection_invalidated:
        return False
    # Of several rows, some may have been stored.
    several = parameters is not None and not isinstance(parameters, Mapping)
    return only_reads(statement) or (not several and did_nothing(error))


def _lost(error: Exception, connection: Connection | AsyncConnection) -> bool:
    """Return whether the connection is lost, or the database cannot work now."""
    return connection.invalidated or is_temporary(error)


def _execute_prepared(
    connection: Connection, statement: Executable, parameters: Parameters
) -> list[ResultRow] | None:
    """Execute a statement if it can be prepared, and return its rows.

    Otherwise, SQLAlchemy has to execute it: also if the database or the driver rejects it, so that
    the error is one of SQLAlchemy's.
    """
    values = {} if parameters is None else parameters
    if not isinstance(values, Mapping):
        return None
    prepared = prepare(statement, connection.dialect, values)
    if prepared is None:
        return None
    try:
        arguments = prepared.arguments(values)
    except Exception:  # noqa: BLE001
        return None
    try:
        return prepared.execute(connection, arguments)
    except DRIVER_ERRORS as error:
        if is_disconnect(error):
            connection.invalidate(error)
            if not only_reads(statement) and not did_nothing(error):
                raise ServiceUnavailable from error
        elif is_temporary(error):
            raise ServiceUnavailable from error
        return None
    except BaseException as error:
        # Such as a cancellation, which leaves a statement running.
        connection.invalidate(error)
        raise


class _Transaction(AsyncConnection):
    """A connection that begins a transaction, a second time if the server had closed the session.

    That is noticed by BEGIN or by the first statement, before which nothing was done. The first
    statement also notices that its table was changed since it was prepared.
    """

    __slots__ = ("is_used",)

    is_used: bool

    async def begin_transaction(self) -> None:
        """Begin the transaction."""
        self.is_used = False
        begin = BEGIN[self.dialect.name]
        try:
            await self.exec_driver_sql(begin)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            await self.rollback()
            await self.exec_driver_sql(begin)

    async def execute(
        self, statement: Executable, parameters: Any = None, *, execution_options: Any = None
    ) -> Any:
        """Execute a statement; begin again if the first one finds the session closed."""
        first, self.is_used = not self.is_used, True
        try:
            return await super().execute(statement, parameters, execution_options=execution_options)
        except DBAPIError as error:
            if not first or not (error.connection_invalidated or is_outdated(error)):
                raise
            lost = error.connection_invalidated
        await self.rollback()
        if not lost:
            await self.exec_driver_sql("ROLLBACK")
        await self.begin_transaction()
        self.is_used = True
        return await super().execute(statement, parameters, execution_options=execution_options)

    async def roll_back(self) -> None:
        """Roll back the transaction; if that fails, close the connection."""
        if self.invalidated:
            return
        with suppress(SQLAlchemyError, OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self.rollback()
                await self.exec_driver_sql("ROLLBACK")
                return
        await self.invalidate()


def _too_late() -> TimeoutError:
    return TimeoutError(f"no answer from the database within {ANSWER_TIMEOUT_SECONDS} s")


class Database:
    """One database, and the pool of connections to it.

    A connection commits each statement by itself, unless it is in a transaction. All methods raise
    ServiceUnavailable if no connection becomes free in time, if the database does not answer in
    time, or if it has a temporary error.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = POOL_SIZE,
        pool_timeout: float = POOL_TIMEOUT_SECONDS,
    ) -> None:
        self.engine = create_engine(url, autocommit=True, size=pool_size, timeout=pool_timeout)

    @property
    def connections_in_use(self) -> int:
        """Return the number of connections that requests use now."""
        return cast("QueuePool", self.engine.pool).checkedout()

    async def execute(
        self, statement: Executable, parameters: Parameters = None
    ) -> list[ResultRow]:
        """Execute a statement that commits by itself, and return its rows.

        It is repeated if the server had closed the connection and repeating it is safe.
        """
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS) as answer:
                # All in one greenlet: each switch costs as much as a small statement.
                return await greenlet_spawn(self._execute, statement, parameters)
        except TimeoutError:
            if not answer.expired():
                raise
            raise ServiceUnavailable from _too_late()

    def _execute(self, statement: Executable, parameters: Parameters) -> list[ResultRow]:
        try:
            connection = self.engine.sync_engine.connect()
        except (SQLAlchemyError, OSError) as error:
            raise ServiceUnavailable from error
        with connection:
            try:
                try:
                    if (rows := _execute_prepared(connection, statement, parameters)) is not None:
                        return rows
                    return rows_of(connection.execute(statement, parameters))
                except DBAPIError as error:
                    if not _can_repeat(error, statement, parameters):
                        raise
                connection.rollback()
                return rows_of(connection.execute(statement, parameters))
            except (SQLAlchemyError, OSError) as error:
                if _lost(error, connection):
                    raise ServiceUnavailable from error
                raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction: committed at the end of the block, rolled back on an error."""
        connection = _Transaction(self.engine)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS) as answer:
                try:
                    await connection.start()
                except (SQLAlchemyError, OSError) as error:
                    raise ServiceUnavailable from error
                try:
                    await connection.begin_transaction()
                    try:
                        yield connection
                        await connection.exec_driver_sql("COMMIT")
                    except BaseException:
                        await connection.roll_back()
                        raise
                except (SQLAlchemyError, OSError) as error:
                    if _lost(error, connection):
                        raise ServiceUnavailable from error
                    raise
                finally:
                    await connection.close()
        except TimeoutError:
            if not answer.expired():
                raise
            raise ServiceUnavailable from _too_late()

    async def ping(self) -> None:
        """Check that the database answers.

        Raises:
            ServiceUnavailable: it does not.
        """
        await self.execute(text("SELECT 1"))

    async def dispose(self) -> None:
        """Close all connections."""
        await self.engine.dispose()
