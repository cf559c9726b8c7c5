"""Idempotency keys of users: each is stored in the transaction of the operation that it is for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from sqlalchemy import BigInteger, Delete, Select, and_, bindparam, delete, func, or_, select

from app.db.database import ResultRow
from app.db.prepared import built_once
from app.db.scope import Scope
from app.db.statements import Model, select_rows
from app.errors import Conflict
from app.models.idempotency_key import IdempotencyKey

LIFETIME = timedelta(hours=24)
MAX_FORGOTTEN = 100

# Of PostgreSQL: held until the end of the transaction.
TRY_LOCK = select(
    func.pg_try_advisory_xact_lock(bindparam("_lock", type_=BigInteger)).label("is_locked")
)


@built_once
def _select_key(model: Model) -> Select[Any]:
    columns = model.__table__.c
    return select_rows(model).where(
        columns.key == bindparam("_key"), columns.created_at > bindparam("_after")
    )


@built_once
def _delete_expired(model: Model) -> Delete:
    """Return the statement that deletes a key, and some others that have expired."""
    table = model.__table__
    same = and_(table.c.key == bindparam("_key"), *model.__visible__(table))
    expired = select(table.c.id).where(table.c.created_at <= bindparam("_until"))
    # Except those that another transaction deletes now.
    found = expired.limit(MAX_FORGOTTEN).with_for_update(skip_locked=True)
    return delete(table).where(or_(same, table.c.id.in_(found)))


def _lock_number(scope: Scope, key: str) -> int:
    """Return the number that stands for a key of a user in locks."""
    digest = blake2b(f"{scope.caller.user_id} {key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


@asynccontextmanager
async def reserved(scope: Scope, key: str) -> AsyncIterator[Scope]:
    """Open a transaction in which no other request of the user has this key.

    Raises:
        Conflict: the request that has it is running. On SQLite, this one waits instead, because
            there is one writing transaction at a time.
    """
    async with scope.transaction() as inner:
        if inner.database.engine.dialect.name == "postgresql":
            [row] = await inner.execute(TRY_LOCK, {"_lock": _lock_number(inner, key)})
            if not row["is_locked"]:
                raise Conflict("A request with this Idempotency-Key is being processed.")
        yield inner


async def find_response(scope: Scope, key: str) -> ResultRow | None:
    """Return the row of a key that has not expired, if there is one."""
    values = {"_key": key, "_after": datetime.now(UTC) - LIFETIME}
    rows = await scope.execute(_select_key(IdempotencyKey), values)
    return rows[0] if rows else None


async def store_response(scope: Scope, key: str, request_hash: str, body: str) -> None:
    """Store a key with the response to its request, in place of an expired one."""
    now = datetime.now(UTC)
    expired = {"_key": key, "_until": now - LIFETIME}
    await scope.execute(_delete_expired(IdempotencyKey), expired)
    values = {
        "key": key,
        "request_hash": request_hash,
        "response_body": body,
        "created_at": now,
    }
    await scope.insert(IdempotencyKey, values)
