"""The limit of requests by user and by address, which RATE_LIMIT_REQUESTS sets.

Windows begin at multiples of their length, so that every process knows when one ends. Responses have
the fields of https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Sequence

from limits import RateLimitItem, parse_many
from limits.aio.storage import RedisStorage
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import RateLimited
from app.http.addresses import by_address, network_of
from app.http.error_responses import error_response
from app.http.monitoring import is_monitoring
from app.http.shared_storage import SharedStorage, Unavailable, connect

# Of each window in memory. Each takes some 300 bytes.
MAX_SUBJECTS = 50_000
# Every request waits for Redis.
REDIS_TIMEOUT_SECONDS = 0.2
# The key of the fields of a response in the state of its request.
FIELDS = "rate_limit_fields"


class _Policy:
    """A number of requests that a user or an address can send in a window."""

    def __init__(self, kind: str, name: str, limit: RateLimitItem) -> None:
        self.amount = limit.amount
        self.window = limit.get_expiry()
        self.description = f'"{name}";q={self.amount};w={self.window}'
        self._name = name
        self._kind = kind
        self._limit = limit
        # Those of the current window only, the last ones at the end.
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._period = 0

    def count(self, subject: str, period: int) -> int:
        """Count a request in memory; return the number of requests in the window."""
        if period != self._period:
            self._counts = OrderedDict()
            self._period = period
        count = self._counts[subject] = self._counts.get(subject, 0) + 1
        self._counts.move_to_end(subject)
        if len(self._counts) > MAX_SUBJECTS:
            self._counts.popitem(last=False)
        return count

    def quota(self, count: int, reset: int) -> str:
        """Describe what is left for some seconds."""
        return f'"{self._name}";r={max(0, self.amount - count)};t={reset}'

    async def count_in(self, storage: RedisStorage, subject: str, period: int) -> int:
        """Count a request in Redis, where no id or address is stored."""
        digest = hashlib.sha256(subject.encode()).hexdigest()
        key = self._limit.key_for("requests", self._kind, digest, period)
        return await storage.incr(key, self.window)


class _Fields:
    """The header fields of a response: the policies that applied to its request, and what is left."""

    __slots__ = ("policies", "quotas")

    def __init__(self) -> None:
        self.policies: list[str] = []
        self.quotas: list[str] = []

    def encode(self) -> list[tuple[bytes, bytes]]:
        """Return the names and values."""
        return [
            (b"ratelimit-policy", ", ".join(self.policies).encode()),
            (b"ratelimit", ", ".join(self.quotas).encode()),
        ]


def _policies(kind: str, limits: Sequence[RateLimitItem]) -> list[_Policy]:
    """Name the policies: after their windows if there are several."""
    several = len(limits) > 1
    return [
        _Policy(kind, f"{kind}-{limit.get_expiry()}s" if several else kind, limit)
        for limit in limits
    ]


class RequestLimits:
    """Counts requests, in memory or in Redis; in memory while Redis is unavailable."""

    def __init__(self, limits: str, storage_url: str) -> None:
        # What the shortest window rejects does not count in the longer ones.
        parsed = sorted(parse_many(limits), key=lambda limit: limit.get_expiry())
        self._by_user = _policies("user", parsed)
        self._by_address = _policies("address", by_address(parsed))
        self._shared = connect(storage_url, REDIS_TIMEOUT_SECONDS)

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """Return the middleware that applies the limit to an application."""
        return _RequestLimiter(app, self)

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._shared is not None:
            await self._shared.close()

    async def count_address(self, scope: Scope) -> None:
        """Count a request for the address of its client.

        Raises:
            RateLimited: there were too many.
        """
        client = scope.get("client")
        await self._count(self._by_address, network_of(client[0] if client else "unknown"), scope)

    async def count_user(self, scope: Scope, user_id: object) -> None:
        """Count a request for its user, whose token has been verified.

        Raises:
            RateLimited: there were too many.
        """
        await self._count(self._by_user, str(user_id), scope)

    async def _count(self, policies: Sequence[_Policy], subject: str, scope: Scope) -> None:
        fields: _Fields | None = scope["state"].get(FIELDS)
        if fields is None:  # A request of the platform.
            return
        now = int(time.time())
        for policy in policies:
            period, elapsed = divmod(now, policy.window)
            if self._shared is None:
                count = policy.count(subject, period)
            else:
                count = await _count_together(self._shared, policy, subject, period)
            reset = policy.window - elapsed
            fields.policies.append(policy.description)
            fields.quotas.append(policy.quota(count, reset))
            if count > policy.amount:
                raise RateLimited(reset)


async def _count_together(shared: SharedStorage, policy: _Policy, subject: str, period: int) -> int:
    """Count a request in Redis; in memory while it is unavailable."""
    try:
        return await shared.use(lambda storage: policy.count_in(storage, subject, period))
    except Unavailable:
        return policy.count(subject, period)


class _RequestLimiter:
    """Middleware that counts requests by address, and adds the header fields.

    Users are counted where their tokens are verified, in `app/auth/current_user.py`.
    """

    def __init__(self, app: ASGIApp, limits: RequestLimits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_monitoring(scope):
            await self.app(scope, receive, send)
            return
        fields = scope["state"][FIELDS] = _Fields()

        async def send_with_fields(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *fields.encode()]
            await send(message)

        try:
            await self.limits.count_address(scope)
        except RateLimited as error:
            await error_response(error)(scope, receive, send_with_fields)
        else:
            await self.app(scope, receive, send_with_fields)
