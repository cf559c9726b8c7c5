"""Settings: read from the environment and `.env`, checked before the app starts."""

import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.auth_settings import AuthSettings


def _split(value: Any) -> Any:
    """Read a list from JSON or from text with commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [part.strip() for part in value.split(",") if part.strip()]


StringList = Annotated[list[str], NoDecode, BeforeValidator(_split)]


class Settings(AuthSettings, BaseSettings):
    """Everything that differs between one place where the app runs and another."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", hide_input_in_errors=True)

    environment: Literal["local", "test", "production"] = "local"
    database_url: str = "sqlite:///todo.db"
    cors_origins: StringList = ["http://localhost:3000"]
    allowed_hosts: StringList = ["*"]
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"

    @model_validator(mode="after")
    def _check_production(self) -> "Settings":
        if self.environment == "production":
            if "*" in self.cors_origins:
                raise ValueError("CORS_ORIGINS must name the origins in production, not *")
            self.check_auth_for_production()
        return self
