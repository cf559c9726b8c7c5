"""Rate limits that two processes share through a real Redis, and what they do when it goes away."""

import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.support.environment import Environment
from tests.support.preset_server import SECRET, Answer, Api, serve
from tests.support.rendering import render

pytestmark = pytest.mark.long

ANSWERS: dict[str, Any] = {"auth": "local", "error_format": "problem", "api_prefix": "/api"}
ATTEMPTS = 3
SERVER = os.environ.get("TEST_REDIS_URL") or "redis://127.0.0.1:6379"
# Runs in the environment of the renders, which has the client that the template's own has not.
PING = "import sys, redis; redis.from_url(sys.argv[1], socket_connect_timeout=5).ping()"
FORGET = """
import sys, redis

server = redis.from_url(sys.argv[1])
keys = list(server.scan_iter(match=sys.argv[2]))
print(server.delete(*keys) if keys else 0)
"""

Start = Callable[[str, str], AbstractContextManager[Api]]


@pytest.fixture(scope="module")
def redis_url(environment: Environment) -> str:
    """The server's URL, where one answers."""
    done = environment.run(Path("/"), "python", "-c", PING, SERVER)
    if done.returncode:
        reason = (done.stdout.strip().splitlines() or ["no answer"])[-1]
        message = f"no Redis at {urlsplit(SERVER).netloc.rpartition('@')[2]}: {reason}"
        # A server that somebody named is meant to be there.
        pytest.fail(message) if "TEST_REDIS_URL" in os.environ else pytest.skip(message)
    return SERVER


@pytest.fixture
def window(redis_url: str, environment: Environment) -> Iterator[int]:
    """The seconds that are counted together: a number that names the keys of this test alone."""
    seconds = 10_000 + secrets.randbelow(70_000)
    yield seconds
    pattern = f"*/{seconds}/second"
    deleted = environment.check(Path("/"), "python", "-c", FORGET, redis_url, pattern)
    assert int(deleted) > 0, "nothing was counted in Redis"


@pytest.fixture
def start(template: Path, environment: Environment, tmp_path: Path, window: int) -> Start:
    """A way to serve the default project, each time by another process, on the same database."""

    def start(name: str, storage: str) -> AbstractContextManager[Api]:
        return serve(
            environment,
            render(template, tmp_path / name, {}),
            ANSWERS,
            f"sqlite:///{tmp_path / 'tasks.db'}",
            JWT_SECRET_KEY=SECRET,
            RATE_LIMIT_STORAGE_URL=storage,
            RATE_LIMIT_LOGIN=f"{ATTEMPTS} per {window} seconds",
            RATE_LIMIT_REGISTER=f"60 per {window} seconds",
        )

    return start


def log_in(api: Api, email: str, password: str = "wrong horse") -> Answer:
    """Try to log in."""
    who = {"email": email, "password": password}
    return api.anonymous().call("POST", "/api/auth/login", who)


def check_limited(answer: Answer, window: int) -> None:
    """Expect that no further attempt is allowed, and a Retry-After."""
    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= window


def test_what_fails_in_one_process_counts_in_the_other(
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


def pump(source: socket.socket, target: socket.socket) -> None:
    """Hand on what comes, until either end closes."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class Line:
    """A way to a server that can be cut, as an outage would."""

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
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    def cut(self) -> None:
        """End what is connected, and refuse further calls."""
        for end in (self.listener, *self.ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def line_to(url: str) -> Iterator[tuple[Line, str]]:
    """Lay a line to the server, and give the URL that leads over it."""
    parts = urlsplit(url)
    line = Line(parts.hostname or "127.0.0.1", parts.port or 6379)
    credentials, at, _ = parts.netloc.rpartition("@")
    detour = parts._replace(netloc=f"{credentials}{at}127.0.0.1:{line.port}")
    try:
        yield line, urlunsplit(detour)
    finally:
        line.cut()


def test_while_redis_is_away_each_process_counts_for_itself(
    redis_url: str, start: Start, window: int
) -> None:
    """As docs/authentication.md of a project says: no error, and guessing stays limited."""
    with line_to(redis_url) as (line, detour), start("one", detour) as api:
        ada = api.register().user["email"]
        assert [log_in(api, ada).status for _ in range(ATTEMPTS)] == [401] * ATTEMPTS
        check_limited(log_in(api, ada), window)
        line.cut()
        assert [log_in(api, ada).status for _ in range(ATTEMPTS)] == [401] * ATTEMPTS
        check_limited(log_in(api, ada), window)
        assert api.register().get(200, "/api/auth/me")["name"] == "Ada"
