"""Clients of a proxy or of a process: one that waits for each response, and many slow ones."""

import json
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any

SLOW = 300
SLOW_HEADERS = b"GET /api/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
# A test does not have a certificate of a known authority.
CONTEXT = ssl._create_unverified_context()

Body = dict[str, str] | None


@dataclass
class Client:
    """A client with one connection, to a process or by TLS to the proxy, and its answers."""

    port: int
    tls: bool = True
    token: str = ""
    connection: HTTPConnection | None = None
    slowest: float = 0
    # Those of the last response.
    headers: Mapping[str, str] = field(default_factory=dict)
    succeeded: list[float] = field(default_factory=list)
    failed: list[tuple[float, str]] = field(default_factory=list)

    def send(self, method: str, path: str, body: Body = None) -> tuple[int, Any]:
        """Send a request; return the status and the JSON of the response."""
        if self.connection is None:
            self.connection = (
                HTTPSConnection("127.0.0.1", self.port, timeout=30, context=CONTEXT)
                if self.tls
                else HTTPConnection("127.0.0.1", self.port, timeout=30)
            )
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        started = time.monotonic()
        sent = None if body is None else json.dumps(body)
        self.connection.request(method, path, sent, headers)
        response = self.connection.getresponse()
        text = response.read()
        self.headers = response.headers
        self.slowest = max(self.slowest, time.monotonic() - started)
        return response.status, json.loads(text) if text[:1] in {b"{", b"["} else None

    def try_to_send(self, status: int, method: str, path: str, body: Body = None) -> bool:
        """Send a request; return and note whether the response has the expected status."""
        try:
            answered, _ = self.send(method, path, body)
        except (OSError, HTTPException) as error:
            self.failed.append((time.monotonic(), f"{method} {error!r}"))
            self.close()
            return False
        if answered == status:
            self.succeeded.append(time.monotonic())
        else:
            self.failed.append((time.monotonic(), f"{method} {answered}"))
        return answered == status

    def close(self) -> None:
        """Close the connection."""
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def closed(connection: socket.socket) -> bool:
    """Send a byte on a slow connection, unless it is silent; return whether the proxy closed it."""
    try:
        if isinstance(connection, ssl.SSLSocket):
            connection.send(b"a")
        answer = connection.recv(4096)
    except (ssl.SSLWantReadError, BlockingIOError):
        return False
    except OSError:
        return True
    assert not answer or answer[9:12] == b"408", answer
    return True


def be_slow(port: int, starts: list[bytes], client: Client, limit: int) -> list[float]:
    """Be many slow clients, and another one; return the seconds until each was closed.

    Each begins with one of the texts; with an empty one it does not even begin the handshake.
    """
    slow: dict[socket.socket, float] = {}
    for number in range(SLOW):
        connection = socket.create_connection(("127.0.0.1", port), timeout=5)
        if start := starts[number % len(starts)]:
            connection = CONTEXT.wrap_socket(connection)
            connection.sendall(start)
        connection.setblocking(False)
        slow[connection] = time.monotonic()
    seconds: list[float] = []
    end = time.monotonic() + limit
    while slow and time.monotonic() < end:
        for connection in list(slow):
            if closed(connection):
                seconds.append(time.monotonic() - slow.pop(connection))
                connection.close()
        turn = time.monotonic()
        while time.monotonic() - turn < 0.5:
            assert client.try_to_send(200, "GET", "/api/tasks?page_size=5")
    for connection in slow:
        connection.close()
    return seconds
