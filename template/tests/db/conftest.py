"""Fixtures for tests of DATABASE_URL."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from app.db.url.parse import PARAMETERS


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment without variables of libpq, and an empty home directory."""
    for parameter in PARAMETERS.values():
        monkeypatch.delenv(parameter.variable or "PG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def client_certificates(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None, str]]:
    """The client certificates that are loaded, with their keys and passwords."""
    found: list[tuple[str, str | None, str]] = []

    def load(_context: object, certfile: str, keyfile: str, password: Callable[[], str]) -> None:
        found.append((certfile, keyfile, password()))

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", load)
    return found
