"""Password hashing."""

import asyncio
import os
import threading
import time

import pytest
from httpx import AsyncClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import select

from app.auth import passwords
from app.db.database import Database
from app.models.user import User
from tests.support.accounts import log_in, register

# Read before a fixture replaces it with a cheap one.
PRODUCTION_HASHER = passwords.HASHER
OTHER_HASHER = PasswordHash((Argon2Hasher(memory_cost=16, time_cost=2, parallelism=1),))


class CountingHasher:
    """A slow hasher that counts how many threads use it at the same time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = 0
        self.most = 0

    def hash(self, _password: str) -> str:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.01)
        with self.lock:
            self.now -= 1
        return "hash"


async def stored_hash(database: Database) -> str:
    [user] = await database.execute(select(User.__table__.c.password_hash))
    return str(user["password_hash"])


def test_parameters_are_those_recommended_by_owasp() -> None:
    hashed = PRODUCTION_HASHER.hash("password")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PRODUCTION_HASHER.verify("password", hashed)
    assert hashed != PRODUCTION_HASHER.hash("password")


async def test_login_rehashes_after_a_change_of_parameters(
    client: AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(client)
    first = await stored_hash(database)
    monkeypatch.setattr(passwords, "HASHER", OTHER_HASHER)
    assert (await log_in(client, password="wrong")).status_code == 401
    assert await stored_hash(database) == first
    assert (await log_in(client)).status_code == 200
    second = await stored_hash(database)
    assert second.startswith("$argon2id$v=19$m=16,t=2,p=1$")
    assert (await log_in(client)).status_code == 200
    assert await stored_hash(database) == second


async def test_rehashing_changes_one_user_only(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(client, "dave@example.com", "dave's password")
    await register(client)
    monkeypatch.setattr(passwords, "HASHER", OTHER_HASHER)
    assert (await log_in(client)).status_code == 200
    assert (await log_in(client, "dave@example.com", "dave's password")).status_code == 200


async def test_parallel_logins_while_rehashing(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(client)
    monkeypatch.setattr(passwords, "HASHER", OTHER_HASHER)
    responses = await asyncio.gather(*(log_in(client) for _ in range(8)))
    assert [response.status_code for response in responses] == [200] * 8


async def test_number_of_hashing_threads_is_limited(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher = CountingHasher()
    monkeypatch.setattr(passwords, "HASHER", hasher)
    await asyncio.gather(*(register(client, f"user{n}@example.com") for n in range(20)))
    assert 0 < hasher.most <= (os.cpu_count() or 1)


async def test_composed_and_decomposed_letters_are_one_password(client: AsyncClient) -> None:
    await register(client, password="zoe\u0308-zoe\u0308")
    assert (await log_in(client, password="zo\u00eb-zo\u00eb")).status_code == 200
