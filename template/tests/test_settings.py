"""Settings come from the environment, and an app that would be unsafe does not start."""

import os
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr, ValidationError

from app.auth.settings import AuthSettings
from app.factory import create_app
from app.settings import STARTUP_FAILURE, DatabaseSettings, Settings, explain, load_settings
from app.state import get_state


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that says nothing."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def given(app: FastAPI) -> dict[str, Any]:
    """What the app needs to know about auth."""
    settings: Settings = get_state(app).settings
    return settings.model_dump(exclude_unset=True, include=set(AuthSettings.model_fields))


@pytest.fixture
def safe_auth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Auth that is fit for production."""
    monkeypatch.setattr(AuthSettings, "check_auth_for_production", lambda _self: None)


def load(given: dict[str, Any], **changes: Any) -> Settings:
    """Load settings from the environment alone, but for what is given."""
    return Settings(_env_file=None, **given | changes)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ('["https://a.example", "https://b.example"]', ["a.example", "b.example"]),
        ("https://a.example,https://b.example", ["a.example", "b.example"]),
        (" https://a.example , ", ["a.example"]),
        (' ["*"]', ["*"]),
        ("[]", []),
        ("*", ["*"]),
    ],
)
async def test_lists_are_json_or_have_commas(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch, text: str, hosts: list[str]
) -> None:
    monkeypatch.setenv("CORS_ORIGINS", text)
    monkeypatch.setenv("ALLOWED_HOSTS", text)
    settings = load(given)
    assert [origin.removeprefix("https://") for origin in settings.cors_origins] == hosts
    assert settings.allowed_hosts == hosts


@pytest.mark.parametrize("text", ["[", '["a", 7]', '[["a"]]'])
async def test_other_lists_are_refused(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("CORS_ORIGINS", text)
    with pytest.raises(ValidationError, match="cors_origins"):
        load(given)


async def test_defaults(given: dict[str, Any]) -> None:
    settings = load(given)
    assert settings.environment == "local"
    assert settings.database_url.startswith("sqlite:///")
    assert settings.cors_origins == ["http://localhost:3000"]
    assert settings.allowed_hosts == ["*"]
    assert settings.log_format == "console"
    assert settings.log_level == "INFO"


async def test_empty_variables_are_not_set(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "")
    monkeypatch.setenv("DATABASE_URL", "")
    settings = load(given)
    assert settings.log_level == "INFO"
    assert settings.database_url


@pytest.mark.parametrize(
    "bad", [{"environment": "live"}, {"log_format": "xml"}, {"log_level": "loud"}]
)
async def test_unknown_values_are_refused(given: dict[str, Any], bad: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=next(iter(bad))):
        load(given, **bad)


async def test_case_does_not_matter(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch, safe_auth: None
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "Production")
    monkeypatch.setenv("LOG_FORMAT", "JSON")
    monkeypatch.setenv("LOG_LEVEL", "info")
    settings = load(given, allowed_hosts="*")
    assert settings.environment == "production"
    assert (settings.log_format, settings.log_level) == ("json", "INFO")


async def test_staging_is_told_what_to_set(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        load(given, environment="staging")
    assert "ENVIRONMENT: must be local or production" in explain(caught.value)
    assert "staging environment sets production" in explain(caught.value)


async def test_errors_tell_no_values(given: dict[str, Any]) -> None:
    for name in ("environment", "cors_origins", "allowed_hosts", "log_format", "log_level"):
        with pytest.raises(ValidationError) as caught:
            load(given, **{name: "hun/ter2"})
        assert "hun/ter2" not in str(caught.value)
        assert "hun/ter2" not in explain(caught.value)
        assert explain(caught.value).startswith(f"Cannot start: {name.upper()}: ")


async def test_app_that_cannot_start_says_why_in_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOG_LEVEL", "loud")
    monkeypatch.setenv("ALLOWED_HOSTS", "a.example,/")
    with pytest.raises(SystemExit) as ended:
        create_app()
    assert ended.value.code == STARTUP_FAILURE
    told = capsys.readouterr().err.splitlines()
    assert all(line.startswith("Cannot start: ") for line in told)
    assert any("LOG_LEVEL: Input should be 'DEBUG'" in line for line in told)
    assert any("ALLOWED_HOSTS: must be host names" in line for line in told)


@pytest.mark.parametrize("origins", ["*", '["https://a.example", "*"]'])
async def test_production_names_its_origins(
    given: dict[str, Any], safe_auth: None, origins: str
) -> None:
    assert "*" in load(given, environment="local", cors_origins=origins).cors_origins
    with pytest.raises(ValidationError, match="CORS_ORIGINS"):
        load(given, environment="production", allowed_hosts="*", cors_origins=origins)


async def test_production_names_its_hosts(given: dict[str, Any], safe_auth: None) -> None:
    with pytest.raises(ValidationError, match="ALLOWED_HOSTS is required in production"):
        load(given, environment="production")
    for hosts in ("api.example.com", "*"):
        assert load(given, environment="production", allowed_hosts=hosts).allowed_hosts == [hosts]


async def test_metrics_require_a_token_in_production(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch, safe_auth: None
) -> None:
    production = {"environment": "production", "allowed_hosts": "*"}
    assert not load(given, **production).metrics_enabled
    monkeypatch.setenv("METRICS_ENABLED", "true")
    assert load(given).metrics_enabled
    monkeypatch.setenv("METRICS_TOKEN", "")
    with pytest.raises(ValidationError) as caught:
        load(given, **production)
    message = "Cannot start: METRICS_TOKEN is required in production with METRICS_ENABLED\n"
    assert explain(caught.value) == message
    monkeypatch.setenv("METRICS_TOKEN", "hunter2")
    settings = load(given, **production)
    assert settings.metrics_enabled
    assert "hunter2" not in repr(settings)


async def test_metrics_require_their_library(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.http.telemetry_settings.find_spec", lambda _name: None)
    assert not load(given).metrics_enabled
    with pytest.raises(ValidationError) as caught:
        load(given, metrics_enabled=True)
    assert explain(caught.value) == (
        "Cannot start: METRICS_ENABLED requires the extra `metrics`: uv sync --extra metrics\n"
    )


async def test_variables_of_opentelemetry_are_read_from_the_file(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in given.items():
        secret = value.get_secret_value() if isinstance(value, SecretStr) else value
        monkeypatch.setenv(name.upper(), "" if secret is None else str(secret))
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "removed after the test")
    monkeypatch.delenv("OTEL_TRACES_SAMPLER")
    lines = "OTEL_SDK_DISABLED=\nOTEL_SERVICE_NAME=other\nOTEL_TRACES_SAMPLER=always_off\n"
    (tmp_path / ".env").write_text(lines, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    load_settings()
    assert "OTEL_SDK_DISABLED" not in os.environ
    assert os.environ["OTEL_SERVICE_NAME"] == "shop"
    assert os.environ["OTEL_TRACES_SAMPLER"] == "always_off"


async def test_production_has_no_documentation_unless_it_is_enabled(
    given: dict[str, Any], safe_auth: None
) -> None:
    production = {"environment": "production", "allowed_hosts": "*"}
    assert load(given).docs_enabled
    assert not load(given, **production).docs_enabled
    assert load(given, **production, docs_enabled="true").docs_enabled


async def test_production_logs_json_unless_told_otherwise(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch, safe_auth: None
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("ALLOWED_HOSTS", "*")
    assert load(given).log_format == "json"
    monkeypatch.setenv("LOG_FORMAT", "console")
    assert load(given).log_format == "console"


async def test_production_checks_auth(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: AuthSettings) -> None:
        raise ValueError("not fit")

    monkeypatch.setattr(AuthSettings, "check_auth_for_production", refuse)
    with pytest.raises(ValidationError, match="not fit"):
        load(given, environment="production", allowed_hosts="*")


async def test_environment_goes_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text("DATABASE_URL=sqlite:///of-the-file.db\nOF_SOMEBODY_ELSE=1\n")
    assert DatabaseSettings(_env_file=file).database_url == "sqlite:///of-the-file.db"
    monkeypatch.setenv("DATABASE_URL", "sqlite:///of-the-environment.db")
    assert DatabaseSettings(_env_file=file).database_url == "sqlite:///of-the-environment.db"
