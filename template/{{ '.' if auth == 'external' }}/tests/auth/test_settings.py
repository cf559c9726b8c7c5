"""Validation of the auth settings."""

import hashlib
from typing import Any

import pytest
from pydantic import ValidationError

from app.auth.settings import AuthSettings
from app.settings import Settings
from tests.support.issuer import NAME, URL

# Looks random but is constant, because test ids contain it.
GOOD = hashlib.sha256(b"tests").hexdigest()
ISSUER = {"jwt_issuer": NAME, "jwt_audience": NAME}
NAMES = ("JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE", "BETTER_AUTH_SECRET", "JWT_USER_ID_CLAIM")


@pytest.mark.parametrize(
    "values",
    [
        {"jwks_url": URL, **ISSUER},
        {"jwks_url": "http://auth:3000/api/auth/jwks", **ISSUER},
        {"jwks_url": "HTTPS://Issuer.example:8443/jwks?v=1", **ISSUER},
        {"jwks_url": URL, "better_auth_secret": "", **ISSUER},
        {"better_auth_secret": GOOD},
        {"better_auth_secret": GOOD, "jwt_user_id_claim": "u", **ISSUER},
        {"better_auth_secret": GOOD, "jwks_url": "", "jwt_issuer": "", "jwt_audience": ""},
    ],
)
def test_exactly_one_source_of_keys(values: dict[str, Any]) -> None:
    settings = AuthSettings(**values)
    assert (settings.jwks_url is None) != (settings.better_auth_secret is None)
    assert GOOD not in repr(settings)


def test_surrounding_whitespace_is_stripped() -> None:
    settings = AuthSettings(
        jwks_url=f" {URL}\n",
        jwt_issuer=f"{NAME}\n",
        jwt_audience=f"{NAME} ",
        jwt_user_id_claim="uid\n",
    )
    assert (settings.jwks_url, settings.jwt_issuer) == (URL, NAME)
    assert (settings.jwt_audience, settings.jwt_user_id_claim) == (NAME, "uid")
    blank = AuthSettings(better_auth_secret=GOOD, jwks_url=" ", jwt_issuer="\n", jwt_audience=" ")
    assert (blank.jwks_url, blank.jwt_issuer, blank.jwt_audience) == (None, None, None)


@pytest.mark.parametrize(
    "values",
    [
        {},
        ISSUER,
        {"jwks_url": "", "better_auth_secret": ""},
        {"jwks_url": URL, "better_auth_secret": GOOD, **ISSUER},
        {"jwks_url": URL},
        {"jwks_url": URL, "jwt_issuer": NAME},
        {"jwks_url": URL, "jwt_audience": NAME},
        {"jwks_url": "file:///etc/passwd", **ISSUER},
        {"jwks_url": "issuer.example/jwks", **ISSUER},
        {"jwks_url": "https://", **ISSUER},
        {"jwks_url": "https:issuer.example/jwks", **ISSUER},
        {"jwks_url": "https://issuer example/jwks", **ISSUER},
        {"jwks_url": "https:// issuer.example/jwks", **ISSUER},
        {"jwks_url": "https://issuer.example:port/jwks", **ISSUER},
        {"jwks_url": "https://issuer.example:99999/jwks", **ISSUER},
        {"better_auth_secret": GOOD, "jwt_user_id_claim": ""},
    ],
)
def test_other_combinations_are_rejected(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        AuthSettings(**values)
    assert GOOD not in str(refused.value)


def test_source_of_keys_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValidationError, match="JWKS_URL or BETTER_AUTH_SECRET"):
        Settings(_env_file=None)


@pytest.mark.parametrize(
    "secret", ["change-me", GOOD[:31], "x" * 64, "abcdefg" * 5, f"better-auth-secret-{GOOD}"]
)
def test_weak_secret_in_production(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    served = {"allowed_hosts": ["*"], "cors_origins": [NAME]}
    values: dict[str, Any] = {"environment": "production", **served}
    Settings(_env_file=None, better_auth_secret=GOOD, **values)
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None, better_auth_secret=secret, **values)
    assert secret not in str(refused.value)


def test_jwks_url_in_production() -> None:
    served = {"allowed_hosts": ["*"], "cors_origins": [NAME]}
    values: dict[str, Any] = {"jwks_url": URL, "better_auth_secret": None, **ISSUER, **served}
    Settings(_env_file=None, environment="production", **values)
