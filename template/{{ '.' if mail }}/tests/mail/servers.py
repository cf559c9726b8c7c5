"""SMTP servers on this host."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"
USERNAME, PASSWORD = "app", "p@ss:word/?"


class Mailbox:
    """Receives mails, or refuses them with the answer to a recipient."""

    def __init__(self, answer: str = "250 OK") -> None:
        self.answer = answer
        # Before a mail is accepted, in seconds.
        self.pause = 0.0
        self.received: list[tuple[str, EmailMessage]] = []
        self.logins: list[object] = []

    async def handle_RCPT(  # noqa: N802
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Accept or refuse a recipient."""
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Store a mail."""
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.received += [(address, message) for address in envelope.rcpt_tos]
        self.logins.append(session.auth_data)
        await asyncio.sleep(self.pause)
        return "250 OK"


class Gate(Mailbox):
    """Answers mails only while it is open."""

    def __init__(self) -> None:
        super().__init__()
        self.is_open = False
        # The connections over which mails have arrived.
        self.peers: set[object] = set()

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Store a mail, as soon as that is allowed."""
        self.peers.add(session.peer)
        while not self.is_open:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        return await super().handle_DATA(server, session, envelope)


def authenticate(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
) -> AuthResult:
    """Accept one name and password."""
    wanted = LoginPassword(USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=data == wanted, auth_data=USERNAME, handled=False)


@contextmanager
def smtp_server(mailbox: Mailbox, port: int = 0, **options: Any) -> Iterator[int]:
    """Run a server, and yield its port."""
    controller = Controller(mailbox, hostname=HOST, port=port or _free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
