"""Validation of the settings of mails."""

import hashlib

import pytest
from pydantic import SecretStr, ValidationError

from app.mail.settings import MailSettings
from app.mail.smtp import read_smtp_url
from tests.mail.steps import settings_of
from tests.support.accounts import auth_settings

# Looks random but is constant.
GOOD = hashlib.sha256(b"tests").hexdigest()


@pytest.mark.parametrize(
    ("url", "start_tls"),
    [
        ("smtp://mail.example.com", None),
        ("smtp://app:secret@mail.example.com:25", True),
        ("smtp://app:secret@127.0.0.1", None),
        ("smtp://app:secret@localhost", None),
        ("smtps://app:secret@mail.example.com", False),
    ],
)
def test_passwords_require_tls_except_on_this_host(url: str, start_tls: bool | None) -> None:
    assert read_smtp_url(url).start_tls is start_tls
    assert "secret" not in repr(read_smtp_url(url))


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtp://mail.example.com:99999",
        "smtp://mail.example.com/inbox",
        "smtp://mail.example.com?tls=no",
        "smtp://app@mail.example.com",
        "smtp://[mail.example.com",
    ],
)
def test_invalid_urls_are_rejected(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL"):
        read_smtp_url(url)


@pytest.mark.parametrize(
    "sender", ["nobody", "App", "App <no-reply>", "a@example.com\nBcc: b@example.com", ""]
)
def test_invalid_senders_are_rejected(sender: str) -> None:
    with pytest.raises(ValidationError, match="mail_from"):
        MailSettings(smtp_url=SecretStr("smtp://mail.example.com"), mail_from=sender)


@pytest.mark.parametrize("missing", ["smtp_url", "mail_from", "frontend_url"])
def test_production_requires_a_server_a_sender_and_a_frontend(missing: str) -> None:
    settings = settings_of(25)
    settings.check_mail_for_production()
    given = settings.model_dump(exclude={missing}, exclude_unset=True)
    with pytest.raises(ValueError, match=f"{missing.upper()} is required in production"):
        MailSettings(**given).check_mail_for_production()


def test_production_checks_the_settings_of_mails() -> None:
    settings = auth_settings(jwt_secret_key=GOOD)
    with pytest.raises(ValueError, match="SMTP_URL is required in production"):
        settings.check_auth_for_production()
