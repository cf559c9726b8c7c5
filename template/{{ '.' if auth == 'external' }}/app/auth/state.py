"""Objects of authentication that live as long as the application."""

from app.auth.settings import AuthSettings
from app.auth.tokens import TokenVerifier


class AuthState:
    """The verifier of tokens, with the keys of the issuer."""

    def __init__(self, settings: AuthSettings) -> None:
        self.token_verifier = TokenVerifier(settings)

    async def close(self) -> None:
        """Close connections."""
        await self.token_verifier.close()
