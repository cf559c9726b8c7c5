"""Validation of the auth settings."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.settings import Settings, load_settings
from tests.support.accounts import auth_settings

# Looks random but is constant, because test ids contain it.
GOOD = hashlib.sha256(b"tests").hexdigest()


def production(**changes: Any) -> Settings:
    """Return settings for production."""
    served = {"allowed_hosts": ["example.com"], "cors_origins": ["https://example.com"]}
    values = {**served, "jwt_secret_key": GOOD, **changes}
    return Settings(_env_file=None, environment="production", **values)


def test_strong_secret() -> None:
    assert production().jwt_secret_key.get_secret_value() == GOOD
    assert GOOD not in repr(production())
    for shortest in (GOOD[:32], "abcdefgh" * 4):
        settings = production(jwt_secret_key=shortest)
        assert settings.jwt_secret_key.get_secret_value() == shortest


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "change-me",
        GOOD[:31],
        "x" * 64,
        "abab" * 16,
        "abcdefg" * 5,
        f"change-me-{GOOD}",
        f"your-256-bit-key-{GOOD}",
        "supersecretkey-supersecretkey-supersecretkey",
    ],
)
def test_weak_secret(secret: str) -> None:
    with pytest.raises(ValidationError) as refused:
        production(jwt_secret_key=secret)
    assert not secret or secret not in str(refused.value)


@pytest.mark.parametrize("environment", ["local", "test", "production"])
def test_missing_secret(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    environment: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JWT_SECRET_KEY", raising=False)
    monkeypatch.setenv("ENVIRONMENT", environment)
    for _ in range(2):
        with pytest.raises(SystemExit):
            load_settings()
        [line] = capsys.readouterr().err.splitlines()
        assert "JWT_SECRET_KEY: missing" in line
        assert "make .env" in line
        # An empty secret counts as missing.
        monkeypatch.setenv("JWT_SECRET_KEY", "")


@pytest.mark.parametrize(
    "values",
    [
        {"jwt_secret_key": ""},
        {"jwt_algorithm": "none"},
        {"jwt_algorithm": "RS256"},
        {"access_token_expire_minutes": 0},
        {"access_token_expire_minutes": 7 * 24 * 60 + 1},
        {"refresh_token_expire_days": 0},
        {"refresh_token_expire_days": 3651},
    ],
)
def test_values_out_of_range(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        auth_settings(**values)


@pytest.mark.parametrize(("minutes", "days"), [(1, 1), (7 * 24 * 60, 3650)])
def test_smallest_and_largest_values(minutes: int, days: int) -> None:
    settings = auth_settings(
        jwt_secret_key="x",
        access_token_expire_minutes=minutes,
        refresh_token_expire_days=days,
    )
    assert settings.access_token_expire_minutes == minutes
    assert settings.refresh_token_expire_days == days


def test_default_token_lifetimes() -> None:
    settings = auth_settings()
    assert settings.access_token_expire_minutes == 15
    assert settings.refresh_token_expire_days == 30
