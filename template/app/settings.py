"""Settings from the environment and `.env`, validated before the app starts."""

import json
import os
import sys
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    SettingsConfigDict,
)

from app.auth.settings import AuthSettings
from app.db.engine import POOL_SIZE, POOL_TIMEOUT_SECONDS
from app.db.url.parse import read_database_url
from app.http.origins import checked_host, checked_origin
from app.http.rate_limit_settings import RateLimitSettings
from app.http.telemetry_settings import TelemetrySettings, check_extra

# Uvicorn and Gunicorn stop when a worker exits with this status; with others they restart it.
STARTUP_FAILURE = 3


def _split(value: Any) -> Any:
    """Read a list, as JSON or separated by commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [part.strip() for part in value.split(",") if part.strip()]


Origins = Annotated[
    list[Annotated[str, AfterValidator(checked_origin)]], NoDecode, BeforeValidator(_split)
]
Hosts = Annotated[
    list[Annotated[str, AfterValidator(checked_host)]], NoDecode, BeforeValidator(_split)
]


class DatabaseSettings(BaseSettings):
    """The settings that migrations need."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    database_url: str = "sqlite:///app.db"

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: str) -> str:
        read_database_url(value)
        return value


class Settings(AuthSettings, RateLimitSettings, TelemetrySettings, DatabaseSettings):
    """All settings of the app."""

    # Of one process.
    database_pool_size: int = Field(default=POOL_SIZE, ge=1, le=1000)
    database_pool_timeout_seconds: float = Field(default=POOL_TIMEOUT_SECONDS, gt=0, le=60)
    environment: Literal["local", "test", "production"] = "local"
    cors_origins: Origins = ["http://localhost:3000"]
    allowed_hosts: Hosts = ["*"]
    # The pages /docs and /redoc, and /openapi.json; off in production unless it is set.
    docs_enabled: bool = True
    # Whether /metrics is served, and the token that it requires.
    metrics_enabled: bool = False
    metrics_token: SecretStr | None = None
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"

    @field_validator("environment", "log_format", "log_level", mode="before")
    @classmethod
    def _fold_case(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            return value
        return value.upper() if info.field_name == "log_level" else value.lower()

    @field_validator("environment", mode="wrap")
    @classmethod
    def _explain_environment(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            message = "must be local or production; a staging environment sets production"
            raise ValueError(message) from error

    @field_validator("metrics_enabled")
    @classmethod
    def _check_metrics_library(cls, value: bool) -> bool:
        if value:
            check_extra("METRICS_ENABLED", "prometheus_client", "metrics")
        return value

    @model_validator(mode="after")
    def _check_production(self) -> Self:
        if self.environment == "production":
            if "log_format" not in self.model_fields_set:
                self.log_format = "json"
            if "docs_enabled" not in self.model_fields_set:
                self.docs_enabled = False
            if "allowed_hosts" not in self.model_fields_set:
                raise ValueError("ALLOWED_HOSTS is required in production; * allows all hosts")
            if "*" in self.cors_origins:
                raise ValueError("CORS_ORIGINS must name the origins in production, not *")
            if self.metrics_enabled and self.metrics_token is None:
                raise ValueError("METRICS_TOKEN is required in production with METRICS_ENABLED")
            self.check_auth_for_production()
        return self


def explain(error: ValidationError) -> str:
    """Describe invalid variables, one per line, without their values."""
    lines = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        name = str(item["loc"][0]).upper() if item["loc"] else ""
        message = item["msg"].removeprefix("Value error, ")
        named = message if message.startswith(name) else f"{name}: {message}"
        lines.append(f"Cannot start: {named}\n")
    return "".join(lines)


def _share_env_file() -> None:
    """Add the variables of OpenTelemetry in `.env`, whose libraries read only the environment."""
    for name, value in DotEnvSettingsSource(Settings, case_sensitive=True).env_vars.items():
        if name.startswith("OTEL_") and value:
            os.environ.setdefault(name, value)


def load_settings() -> Settings:
    """Load the settings from the environment; exit with a message if they are invalid."""
    _share_env_file()
    try:
        return Settings()
    except ValidationError as error:
        sys.stderr.write(explain(error))
        sys.exit(STARTUP_FAILURE)
