"""Settings of mails: the server, the sender, the links, and limits."""

from email.utils import parseaddr
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, HttpUrl, SecretStr

from app.http.rate_limit_settings import RateLimit
from app.mail.smtp import read_smtp_url


def _checked_url(url: SecretStr) -> SecretStr:
    read_smtp_url(url.get_secret_value())
    return url


def _checked_sender(text: str) -> str:
    try:
        validate_email(parseaddr(text)[1], check_deliverability=False)
    except EmailNotValidError:
        raise ValueError("must be an email address, or Name <address>") from None
    if not text.isprintable():
        raise ValueError("must be one line")
    return text


class MailSettings(BaseModel):
    """How mails are sent, and where their links lead."""

    # Without a URL, mails are written to the log.
    smtp_url: Annotated[SecretStr, AfterValidator(_checked_url)] | None = None
    mail_from: Annotated[str, AfterValidator(_checked_sender)] = "no-reply@example.com"
    frontend_url: HttpUrl = HttpUrl("http://localhost:3000")
    # Whether this process sends mails; false if a worker does.
    send_mail: bool = True
    # Whether users have to verify their email before they log in.
    require_verified_email: bool = False
    # Mails that can be requested for one email; ten times as many from one client address.
    rate_limit_mail: RateLimit = "20/hour"

    @property
    def links_url(self) -> str:
        """Return the URL that links begin with, without a slash at the end."""
        return str(self.frontend_url).rstrip("/")

    def check_mail_for_production(self) -> None:
        """Reject default settings, with which no mails are sent, or with wrong links.

        Raises:
            ValueError: a variable is not set.
        """
        for name in ("smtp_url", "mail_from", "frontend_url"):
            if name not in self.model_fields_set:
                raise ValueError(f"{name.upper()} is required in production")
