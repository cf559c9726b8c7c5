"""Settings: read from the environment and `.env`, checked before the app starts."""

import json
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.auth_settings import AuthSettings
from app.database_url import read_database_url


def _split(value: Any) -> Any:
    """Read a list from JSON or from text with commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [part.strip() for part in value.split(",") if part.strip()]


StringList = Annotated[list[str], NoDecode, BeforeValidator(_split)]


class DatabaseSettings(BaseSettings):
    """Where the data is: all that the migrations need to know."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    database_url: str = "sqlite:///app.db"

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: str) -> str:
        read_database_url(value)
        return value


class Settings(AuthSettings, DatabaseSettings):
    """Everything that differs between one place where the app runs and another."""

    environment: Literal["local", "test", "production"] = "local"
    cors_origins: StringList = ["http://localhost:3000"]
    allowed_hosts: StringList = ["*"]
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"

    @model_validator(mode="before")
    @classmethod
    def _log_json_in_production(cls, data: dict[str, Any]) -> dict[str, Any]:
        return {"log_format": "json", **data} if data.get("environment") == "production" else data

    @model_validator(mode="after")
    def _check_production(self) -> Self:
        if self.environment == "production":
            if "*" in self.cors_origins:
                raise ValueError("CORS_ORIGINS must name the origins in production, not *")
            self.check_auth_for_production()
        return self
