"""Clients that read and write until they are stopped, and what they were answered."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPMessage
from itertools import count
from typing import Any
from uuid import uuid4

NO_ANSWER = 0
TIMEOUT_SECONDS = 30
# Clients are no flood, and those that were refused try again a little later.
PAUSE_SECONDS = 0.01
RETRY_SECONDS = 0.05


@dataclass(frozen=True)
class Answer:
    """When a request ended, how many seconds it took, and its status."""

    ended: float
    seconds: float
    status: int
    expected: bool


@dataclass(frozen=True)
class Response:
    """The status of a response, its headers and the JSON in it."""

    status: int
    headers: HTTPMessage
    content: Any


class Client:
    """A client with one connection, which it opens again after it was closed."""

    def __init__(self, port: int, token: str, answers: list[Answer]) -> None:
        self.port = port
        self.token = token
        self.answers = answers
        self.connection: HTTPConnection | None = None

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        expected: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """Send a request, and note how it was answered."""
        started = time.monotonic()
        try:
            response = self._send(method, path, body, headers or {})
        except (OSError, HTTPException):
            self.close()
            response = Response(NO_ANSWER, HTTPMessage(), None)
        ended = time.monotonic()
        as_expected = response.status == expected
        self.answers.append(Answer(ended, ended - started, response.status, as_expected))
        return response

    def _send(self, method: str, path: str, body: object, headers: dict[str, str]) -> Response:
        if self.connection is None:
            self.connection = HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        sent = None if body is None else json.dumps(body)
        used = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        self.connection.request(method, path, sent, {**used, **headers})
        response = self.connection.getresponse()
        text = response.read()
        content = json.loads(text) if text[:1] in {b"{", b"["} else None
        return Response(response.status, response.headers, content)

    def close(self) -> None:
        """Close the connection."""
        if self.connection is not None:
            self.connection.close()
        self.connection = None


@dataclass
class Load:
    """What clients were answered, and the rows whose storing was acknowledged."""

    port: int
    token: str
    answers: list[Answer] = field(default_factory=list)
    acknowledged: dict[str, str | None] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    def client(self) -> Client:
        """Return a client whose answers count."""
        return Client(self.port, self.token, self.answers)

    def work(self, act: Callable[[Client, int], bool]) -> None:
        """Do the same again and again, with a pause after each time."""
        client = self.client()
        for number in count():
            if self.stop.is_set():
                break
            done = act(client, number)
            time.sleep(PAUSE_SECONDS if done else RETRY_SECONDS)
        client.close()

    def read(self, client: Client, _number: int) -> bool:
        """Read the first rows."""
        return client.send("GET", "/api/tasks?page_size=5").status == 200

    def write(self, client: Client, number: int) -> bool:
        """Create a row, and change every second one."""
        title = str(uuid4())
        created = client.send("POST", "/api/tasks", {"title": title}, expected=201)
        if created.status != 201:
            return False
        self.acknowledged[title] = None
        if number % 2:
            path = f"/api/tasks/{created.content['id']}"
            if client.send("PATCH", path, {"description": title}).status != 200:
                return False
            self.acknowledged[title] = title
        return True

    def statuses(self) -> Counter[int]:
        """Count the answers by their status."""
        return Counter(answer.status for answer in self.answers)

    def longest(self) -> float:
        """Return how long the slowest request took."""
        return max((answer.seconds for answer in self.answers), default=0)

    def healed(self, ended: float) -> float | None:
        """Return how many seconds after the end of a fault the last request failed.

        None if a request failed in the last second, or if there was none.
        """
        last = max((answer.ended for answer in self.answers), default=0)
        failures = [answer.ended for answer in self.answers if not answer.expected]
        failed = max(failures, default=0)
        if last < ended or last - failed < 1:
            return None
        return max(0.0, failed - ended)


@contextmanager
def load(
    port: int,
    token: str,
    *,
    readers: int = 4,
    writers: int = 4,
    others: tuple[Callable[[Client, int], bool], ...] = (),
) -> Iterator[Load]:
    """Read and write with several clients at the same time until the block ends."""
    found = Load(port, token)
    acts = [*[found.read] * readers, *[found.write] * writers, *others]
    threads = [threading.Thread(target=found.work, args=(act,), daemon=True) for act in acts]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        found.stop.set()
        for thread in threads:
            thread.join(TIMEOUT_SECONDS)
