"""Redis, where all processes count together."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from limits.aio.storage import RedisStorage
from limits.errors import StorageError

REDIS_PAUSE_SECONDS = 10

Result = TypeVar("Result")

logger = logging.getLogger(__name__)


class Unavailable(Exception):
    """Redis is unavailable."""


class SharedStorage:
    """Counters in Redis; after an error, nothing asks it for some seconds."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        # It takes 4 MB, which a process without Redis does not need.
        from redis.asyncio import ConnectionPool  # noqa: PLC0415

        self._pool = ConnectionPool.from_url(
            url, socket_connect_timeout=timeout_seconds, socket_timeout=timeout_seconds
        )
        options: dict[str, Any] = {"implementation": "redispy", "connection_pool": self._pool}
        self._storage = RedisStorage(f"async+{url}", wrap_exceptions=True, **options)
        self._available_from = 0.0

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    async def use(self, operation: Callable[[RedisStorage], Awaitable[Result]]) -> Result:
        """Return the result of an operation on the storage.

        Raises:
            Unavailable: it failed, or another one did within the last seconds.
        """
        if time.monotonic() < self._available_from:
            raise Unavailable
        try:
            return await operation(self._storage)
        except StorageError as error:
            now = time.monotonic()
            # Of operations that fail at the same time, the first is logged.
            if now >= self._available_from:
                cause = type(error.storage_error).__name__
                logger.warning("Redis is unavailable, counting in memory: %s", cause)
                self._available_from = now + REDIS_PAUSE_SECONDS
            raise Unavailable from error


def connect(url: str, timeout_seconds: float) -> SharedStorage | None:
    """Return the storage at a URL; None if it is the memory of each process."""
    return None if url.startswith("memory:") else SharedStorage(url, timeout_seconds)
