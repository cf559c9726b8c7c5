"""Rate limits that two processes share through Redis, and during an outage of Redis."""

import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.support.environment import Environment
from tests.support.preset_server import SECRET, Answer, Api, serve
from tests.support.rendering import render

pytestmark = pytest.mark.long

ATTEMPTS = 3
# Runs in the environment of the rendered projects, because this one does not have the client.
DELETE_KEYS = """
import sys, redis

server = redis.from_url(sys.argv[1])
keys = list(server.scan_iter(match=sys.argv[2]))
print(server.delete(*keys) if keys else 0)
"""

Start = Callable[[str, str], AbstractContextManager[Api]]


@pytest.fixture
def window(redis_url: str, environment: Environment) -> Iterator[int]:
    """The length of the rate limit window in seconds, which is unique so that its keys are, too."""
    seconds = 10_000 + secrets.randbelow(70_000)
    yield seconds
    pattern = f"*/{seconds}/second"
    deleted = environment.check(Path("/"), "python", "-c", DELETE_KEYS, redis_url, pattern)
    assert int(deleted) > 0, "nothing was counted in Redis"


@pytest.fixture
def start(template: Path, environment: Environment, tmp_path: Path, window: int) -> Start:
    """A function that serves the default project in a new process, on the same database."""

    def start(name: str, storage: str) -> AbstractContextManager[Api]:
        return serve(
            environment,
            render(template, tmp_path / name, {}),
            f"sqlite:///{tmp_path / 'tasks.db'}",
            JWT_SECRET_KEY=SECRET,
            RATE_LIMIT_STORAGE_URL=storage,
            RATE_LIMIT_LOGIN=f"{ATTEMPTS} per {window} seconds",
            RATE_LIMIT_REGISTER=f"60 per {window} seconds",
        )

    return start


def log_in(api: Api, email: str, password: str = "wrong horse") -> Answer:
    """Try to log in."""
    login = {"email": email, "password": password}
    return api.anonymous().call("POST", "/api/auth/login", login)


def check_limited(answer: Answer, window: int) -> None:
    """Check that the attempt is rejected with Retry-After."""
    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= window


def test_failures_in_one_process_count_in_the_other(
    redis_url: str, start: Start, window: int
) -> None:
    with start("one", redis_url) as one, start("two", redis_url) as two:
        ada, bob = one.register().user["email"], one.register().user["email"]
        assert [log_in(one, ada).status for _ in range(ATTEMPTS)] == [401] * ATTEMPTS
        check_limited(log_in(two, ada), window)
        check_limited(log_in(two, ada, "correct horse"), window)
        check_limited(log_in(one, ada), window)
        assert log_in(two, bob, "correct horse").status == 200
        assert log_in(two, "nobody@example.com").status == 401


def forward(source: socket.socket, target: socket.socket) -> None:
    """Forward data until either end closes."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class Proxy:
    """A TCP proxy that can be closed to simulate an outage."""

    def __init__(self, host: str, port: int) -> None:
        self.server = (host, port)
        self.ends: list[socket.socket] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        """Accept connections."""
        with suppress(OSError):
            while True:
                caller, _ = self.listener.accept()
                server = socket.create_connection(self.server, timeout=5)
                server.settimeout(None)
                self.ends += [caller, server]
                for pair in ((caller, server), (server, caller)):
                    threading.Thread(target=forward, args=pair, daemon=True).start()

    def close(self) -> None:
        """Close all connections, and refuse new ones."""
        for end in (self.listener, *self.ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def proxy_to(url: str) -> Iterator[tuple[Proxy, str]]:
    """Run a proxy for a server, and yield it with its URL."""
    parts = urlsplit(url)
    proxy = Proxy(parts.hostname or "127.0.0.1", parts.port or 6379)
    credentials, at, _ = parts.netloc.rpartition("@")
    proxied = parts._replace(netloc=f"{credentials}{at}127.0.0.1:{proxy.port}")
    try:
        yield proxy, urlunsplit(proxied)
    finally:
        proxy.close()


def test_processes_count_in_memory_during_an_outage(
    redis_url: str, start: Start, window: int
) -> None:
    """As docs/authentication.md says, there are no errors, and attempts remain limited."""
    with proxy_to(redis_url) as (proxy, proxied_url), start("one", proxied_url) as api:
        ada = api.register().user["email"]
        assert [log_in(api, ada).status for _ in range(ATTEMPTS)] == [401] * ATTEMPTS
        check_limited(log_in(api, ada), window)
        proxy.close()
        assert [log_in(api, ada).status for _ in range(ATTEMPTS)] == [401] * ATTEMPTS
        check_limited(log_in(api, ada), window)
        assert api.register().get(200, "/api/auth/me")["name"] == "Ada"
