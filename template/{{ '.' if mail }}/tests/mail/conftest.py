"""Fixtures: an SMTP server, and the sender of the outbox."""

from collections.abc import Iterator

import pytest

from app.db.database import Database
from app.mail.sender import Sender
from tests.mail.servers import Mailbox, smtp_server
from tests.mail.steps import settings_of


@pytest.fixture
def mailbox() -> Mailbox:
    """What the SMTP server receives."""
    return Mailbox()


@pytest.fixture
def port(mailbox: Mailbox) -> Iterator[int]:
    """The port of the SMTP server."""
    with smtp_server(mailbox) as port:
        yield port


@pytest.fixture
def sender(database: Database, port: int) -> Sender:
    """The sender of the outbox."""
    return Sender(database, settings_of(port))
