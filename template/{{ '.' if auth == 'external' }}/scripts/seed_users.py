"""The owners of the rows that `make seed` creates, by the ids in their tokens."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from app.auth.current_user import TokenUser
from app.db.caller import Caller
from app.db.database import Database

DEFAULT_USERS = ("user-1", "user-2")


@asynccontextmanager
async def sign_in(
    _database: Database, user_ids: Sequence[str]
) -> AsyncIterator[tuple[list[Caller], list[str]]]:
    """Yield the users as callers, and notes to print."""
    callers: list[Caller] = [TokenUser(user_id) for user_id in user_ids]
    yield callers, [f"user id: {user_id}" for user_id in user_ids]
