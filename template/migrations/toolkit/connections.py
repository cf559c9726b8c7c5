"""Connections that migrate: one at a time, and without breaking references."""

from typing import Any

from sqlalchemy import Connection

SQLITE_BUSY_TIMEOUT_MS = 60_000
# An arbitrary key that nothing else locks.
MIGRATION_LOCK = 4_906_071_512_377_345_024


def prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    """Set up a new SQLite connection.

    Foreign keys are off, because a table is changed by replacing it, and dropping the old one would
    delete the rows that refer to it. Other processes that migrate the same file are waited for.
    """
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA foreign_keys = OFF")
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}")
    cursor.close()


def lock(connection: Connection, timeout: str) -> None:
    """Wait for other processes that migrate, and limit how long a statement waits for a lock.

    Both last until the end of the transaction, for which PgBouncer keeps the connection.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        # While a statement waits for a lock, all others wait behind it.
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{timeout}'")


def check_references(connection: Connection) -> None:
    """Check the foreign keys that were off on SQLite.

    Raises:
        RuntimeError: rows refer to rows that do not exist.
    """
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise RuntimeError(f"Broken references (table, row, parent, key): {broken}")
