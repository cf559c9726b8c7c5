"""Settings for the tokens of another service."""

import re
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    TypeAdapter,
    model_validator,
)

from app.auth.signing_secret import check_signing_secret

_http_url = TypeAdapter(AnyHttpUrl)


def _none_if_blank(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _check_url(value: str) -> str:
    """Reject a URL that cannot be fetched."""
    try:
        _http_url.validate_python(value)
    except ValueError:
        found = None
    else:
        found = re.match(r"https?://[^/?#\s]", value, re.IGNORECASE)
    if found is None:
        raise ValueError("must be a URL that begins with https:// (or http://) and a host")
    return value


# Secrets that are mounted as files often end with a line break.
Text = Annotated[str, StringConstraints(strip_whitespace=True)]
Url = Annotated[Text, AfterValidator(_check_url)]
Optional = BeforeValidator(_none_if_blank)


class AuthSettings(BaseModel):
    """The issuer of tokens, and how they are verified."""

    jwks_url: Annotated[Url | None, Optional] = None
    better_auth_secret: Annotated[SecretStr | None, Optional] = None
    jwt_issuer: Annotated[Text | None, Optional] = None
    jwt_audience: Annotated[Text | None, Optional] = None
    jwt_user_id_claim: Text = Field(default="sub", min_length=1)

    @model_validator(mode="after")
    def _check_source_of_keys(self) -> Self:
        if (self.jwks_url is None) == (self.better_auth_secret is None):
            raise ValueError("set either JWKS_URL or BETTER_AUTH_SECRET, and not both")
        if self.jwks_url and not (self.jwt_issuer and self.jwt_audience):
            raise ValueError("JWKS_URL needs JWT_ISSUER and JWT_AUDIENCE")
        return self

    def check_auth_for_production(self) -> None:
        """Reject a shared secret that can be guessed.

        Raises:
            ValueError: it is short or a placeholder.
        """
        if self.better_auth_secret is not None:
            secret = self.better_auth_secret.get_secret_value()
            check_signing_secret("BETTER_AUTH_SECRET", secret)
