"""Password hashes: argon2id with the parameters that OWASP recommends (19 MiB, 2 passes, 1 lane)."""

import os
import secrets
import unicodedata
from functools import cache

from anyio import CapacityLimiter, to_thread
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

HASHER = PasswordHash((Argon2Hasher(memory_cost=19 * 1024, time_cost=2, parallelism=1),))

# A hash takes a core and 19 MiB for some 20 ms, so the number of hashes at a time is limited.
SLOTS = CapacityLimiter(os.cpu_count() or 1)


def _normalised(password: str) -> str:
    """Compose characters: keyboards send the same password in different forms."""
    return unicodedata.normalize("NFC", password)


@cache
def _decoy(hasher: PasswordHash) -> str:
    """Return the hash of a random password."""
    return hasher.hash(secrets.token_urlsafe())


async def hash_password(password: str) -> str:
    """Hash a password; the caller must have acquired one of the slots."""
    return await to_thread.run_sync(HASHER.hash, _normalised(password))


async def verify_password(password: str, stored: str | None) -> tuple[bool, str | None]:
    """Verify a password; the caller must have acquired one of the slots.

    Without a stored hash, return False after the same work. The second value is a new hash to store,
    if the old one was created with other parameters.
    """
    return await to_thread.run_sync(_verify, HASHER, _normalised(password), stored)


def _verify(hasher: PasswordHash, password: str, stored: str | None) -> tuple[bool, str | None]:
    if stored is None:
        hasher.verify(password, _decoy(hasher))
        return False, None
    return hasher.verify_and_update(password, stored)
