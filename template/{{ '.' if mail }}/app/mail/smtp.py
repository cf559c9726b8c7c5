"""The SMTP server of `SMTP_URL`, and connections to it."""

import ipaddress
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from aiosmtplib import SMTP

PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """An SMTP server, and the credentials for it."""

    host: str
    port: int
    # TLS from the start, without STARTTLS.
    tls: bool
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def start_tls(self) -> bool | None:
        """Whether STARTTLS is required; None uses it if the server offers it.

        Without encryption, a password is only sent to a server on the same host.
        """
        if self.tls:
            return False
        return True if self.username is not None and not _is_loopback(self.host) else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_smtp_url(url: str) -> SmtpServer:
    """Read `smtp://user:password@host:port`, or `smtps://…` for TLS from the start.

    Raises:
        ValueError: it is something else.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("SMTP_URL has an invalid host or port") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError("SMTP_URL must be smtp://host:port or smtps://host:port")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("SMTP_URL must end after the port")
    if (parts.username is None) != (parts.password is None):
        raise ValueError("SMTP_URL must have a username and a password, or neither")
    return SmtpServer(
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        tls=parts.scheme == "smtps",
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


class SmtpTransport:
    """Sends mails over one connection, which the first mail opens."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._client: SMTP | None = None

    async def send(self, message: EmailMessage, recipient: str) -> None:
        """Send a mail.

        The recipient is not read from the message: headers may contain encoded words (RFC 2047),
        and an address could be one that decodes to another.

        Raises:
            SMTPException: the server rejects it, or the connection fails.
            OSError: the server cannot be reached.
        """
        if self._client is None:
            server = self._server
            client = SMTP(
                hostname=server.host,
                port=server.port,
                username=server.username,
                password=server.password,
                use_tls=server.tls,
                start_tls=server.start_tls,
                # The sender limits the whole attempt. One reply may need most of that time, if the
                # server scans a mail before it accepts it; with less, it would get the mail again.
                timeout=None,
            )
            await client.connect()
            self._client = client
        await self._client.send_message(message, recipients=[recipient])

    async def close(self) -> None:
        """Close the connection, without waiting for the server."""
        if self._client is not None:
            self._client.close()
            self._client = None
