"""Rate limits: failed logins by email and by address, registrations by address."""

import hashlib
import ipaddress
import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError

from app.auth.settings import AuthSettings
from app.errors import RateLimited

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool

ADDRESS_FACTOR = 10
REDIS_TIMEOUT_SECONDS = 0.5
REDIS_PAUSE_SECONDS = 10

Counter = tuple[RateLimitItem, str, str]
Operation = Callable[[FixedWindowRateLimiter, Sequence[Counter]], Awaitable[float | None]]

logger = logging.getLogger(__name__)


def _network(address: str) -> str:
    """Return the network that identifies a client: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), 64), strict=False))


def _counters(limits: Sequence[RateLimitItem], kind: str, subject: str) -> list[Counter]:
    """Return the counters of a subject, which is hashed: no email or address is stored."""
    digest = hashlib.sha256(subject.encode()).hexdigest()
    return [(limit, kind, digest) for limit in limits]


async def _look(limiter: FixedWindowRateLimiter, counters: Sequence[Counter]) -> float | None:
    """Return when the first exhausted counter is reset."""
    for counter in counters:
        if not await limiter.test(*counter):
            return (await limiter.get_window_stats(*counter)).reset_time
    return None


async def _count(limiter: FixedWindowRateLimiter, counters: Sequence[Counter]) -> float | None:
    """Increment every counter; return when the first that was exhausted is reset."""
    full = [counter for counter in counters if not await limiter.hit(*counter)]
    return (await limiter.get_window_stats(*full[0])).reset_time if full else None


class RateLimits:
    """Counts attempts in fixed windows, in memory or in Redis.

    While Redis is unavailable, each process counts in memory: logins keep working, and guessing
    passwords stays limited.
    """

    def __init__(self, settings: AuthSettings) -> None:
        self._login = parse_many(settings.rate_limit_login)
        self._login_by_address = [
            type(limit)(limit.amount * ADDRESS_FACTOR, limit.multiples) for limit in self._login
        ]
        self._register = parse_many(settings.rate_limit_register)
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._shared: FixedWindowRateLimiter | None = None
        self._shared_from = 0.0
        self._pool: ConnectionPool | None = None
        if not settings.rate_limit_storage_url.startswith("memory:"):
            self._connect(settings.rate_limit_storage_url)

    def _connect(self, url: str) -> None:
        # It takes 4 MB, which a process without Redis does not need.
        from redis.asyncio import ConnectionPool  # noqa: PLC0415

        self._pool = ConnectionPool.from_url(
            url,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
            socket_timeout=REDIS_TIMEOUT_SECONDS,
        )
        options: dict[str, Any] = {"implementation": "redispy", "connection_pool": self._pool}
        storage = RedisStorage(f"async+{url}", wrap_exceptions=True, **options)
        self._shared = FixedWindowRateLimiter(storage)

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._pool is not None:
            await self._pool.aclose()

    async def check_login(self, email: str, address: str) -> None:
        """Check the limits before a login.

        Raises:
            RateLimited: too many logins failed with this email or from this address.
        """
        await self._apply(_look, self._login_counters(email, address))

    async def count_failed_login(self, email: str, address: str) -> None:
        """Count a failed login.

        Raises:
            RateLimited: concurrent logins have exhausted the limit.
        """
        await self._apply(_count, self._login_counters(email, address))

    async def count_registration(self, address: str) -> None:
        """Count a registration.

        Raises:
            RateLimited: too many came from this address.
        """
        await self._apply(_count, _counters(self._register, "register", _network(address)))

    def _login_counters(self, email: str, address: str) -> list[Counter]:
        by_email = _counters(self._login, "login-email", email)
        return by_email + _counters(self._login_by_address, "login-address", _network(address))

    async def _apply(self, operation: Operation, counters: Sequence[Counter]) -> None:
        reset_time = await self._ask(operation, counters)
        if reset_time is not None:
            raise RateLimited(max(1, math.ceil(reset_time - time.time())))

    async def _ask(self, operation: Operation, counters: Sequence[Counter]) -> float | None:
        if self._shared is not None and time.monotonic() >= self._shared_from:
            try:
                return await operation(self._shared, counters)
            except StorageError as error:
                cause = type(error.storage_error).__name__
                logger.warning("Redis is unavailable, counting in memory: %s", cause)
                self._shared_from = time.monotonic() + REDIS_PAUSE_SECONDS
        return await operation(self._own, counters)
