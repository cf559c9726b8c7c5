"""Objects of authentication that live as long as the application."""

from app.auth.rate_limits import RateLimits
from app.auth.settings import AuthSettings


class AuthState:
    """The counters of the rate limits."""

    def __init__(self, settings: AuthSettings) -> None:
        self.rate_limits = RateLimits(settings)

    async def close(self) -> None:
        """Close connections."""
        await self.rate_limits.close()
