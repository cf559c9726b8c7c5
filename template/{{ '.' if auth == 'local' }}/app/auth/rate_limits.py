"""Rate limits: failed logins by email and by address, registrations by address."""

import hashlib
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from app.auth.settings import AuthSettings
from app.errors import RateLimited
from app.http.addresses import by_address, network_of
from app.http.shared_storage import Unavailable, connect

REDIS_TIMEOUT_SECONDS = 0.5

Counter = tuple[RateLimitItem, str, str]
Operation = Callable[[FixedWindowRateLimiter, Sequence[Counter]], Awaitable[float | None]]


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
        self._login_by_address = by_address(self._login)
        self._register = parse_many(settings.rate_limit_register)
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._shared = connect(settings.rate_limit_storage_url, REDIS_TIMEOUT_SECONDS)

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._shared is not None:
            await self._shared.close()

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
        await self._apply(_count, _counters(self._register, "register", network_of(address)))

    def _login_counters(self, email: str, address: str) -> list[Counter]:
        by_email = _counters(self._login, "login-email", email)
        return by_email + _counters(self._login_by_address, "login-address", network_of(address))

    async def _apply(self, operation: Operation, counters: Sequence[Counter]) -> None:
        reset_time = await self._ask(operation, counters)
        if reset_time is not None:
            raise RateLimited(max(1, math.ceil(reset_time - time.time())))

    async def _ask(self, operation: Operation, counters: Sequence[Counter]) -> float | None:
        if self._shared is not None:
            with suppress(Unavailable):
                return await self._shared.use(
                    lambda storage: operation(FixedWindowRateLimiter(storage), counters)
                )
        return await operation(self._own, counters)
