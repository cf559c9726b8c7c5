"""The owners of the rows that `make seed` creates, by their emails; new ones are registered."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from pydantic import ValidationError
from sqlalchemy import select

from app.auth.sessions import end_session, open_session
from app.db.caller import Caller
from app.db.database import Database
from app.errors import ValidationFailed
from app.models.user import User
from app.schemas.auth import UserCreate
from app.services.auth import create_user

DEFAULT_USERS = ("ada@example.com", "bob@example.com")
# For development only: `make seed` does nothing in production.
PASSWORD = "correct horse"

users = User.__table__


@asynccontextmanager
async def sign_in(
    database: Database, emails: Sequence[str]
) -> AsyncIterator[tuple[list[Caller], list[str]]]:
    """Yield the users as callers, each with a session that ends afterwards, and notes to print."""
    callers: list[Caller] = []
    notes: list[str] = []
    tokens: list[str] = []
    for text in emails:
        try:
            data = UserCreate(email=text, password=PASSWORD)
        except ValidationError as error:
            raise ValidationFailed(f"{text}: not an email address") from error
        query = select(users).where(users.c.email == data.email)
        rows = await database.execute(query)
        if not rows:
            await create_user(database, data)
            rows = await database.execute(query)
            notes.append(f"{data.email}, password: {PASSWORD}")
        opened = await open_session(database, rows[0], timedelta(minutes=5))
        if opened is None:
            raise ValidationFailed(f"{data.email} is disabled.")
        callers.append(opened[0])
        tokens.append(opened[1])
    try:
        yield callers, notes
    finally:
        for token in tokens:
            await end_session(database, token)
