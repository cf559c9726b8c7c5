"""Settings of users and tokens."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from app.auth.signing_secret import check_signing_secret
from app.http.rate_limit_settings import RateLimit, RateLimitSettings


def _required(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value():
        raise ValueError("missing; run `make .env` to create a file .env with a random one")
    return secret


class AuthSettings(RateLimitSettings):
    """Signing and lifetime of tokens, and rate limits."""

    # No random default: each process would reject the tokens of the others.
    jwt_secret_key: Annotated[SecretStr, AfterValidator(_required)] = Field(
        default=SecretStr(""), validate_default=True
    )
    jwt_algorithm: Literal["HS256", "HS384", "HS512"] = "HS256"
    access_token_expire_minutes: int = Field(default=15, ge=1, le=7 * 24 * 60)
    refresh_token_expire_days: int = Field(default=30, ge=1, le=3650)
    rate_limit_login: RateLimit = "10/minute"
    rate_limit_register: RateLimit = "60/minute"

    def check_auth_for_production(self) -> None:
        """Reject a signing secret that can be guessed.

        Raises:
            ValueError: it is short or a placeholder.
        """
        check_signing_secret("JWT_SECRET_KEY", self.jwt_secret_key.get_secret_value())
