"""The command of the image: stopped with requests in flight or stuck, and killed during writes."""

import json
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.conftest import Render
from tests.support.environment import Environment
from tests.support.image import start_image
from tests.support.preset_server import Answer, send_request
from tests.support.servers import free_port

pytestmark = pytest.mark.long

START_SECONDS = 30
IN_FLIGHT = 10
ACCOUNT = json.dumps({"email": "ada@example.com", "password": "a sound that no bird makes"})
GRACE = "UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN"


@dataclass
class Server:
    """A process of the image's command, and the file of its database."""

    process: subprocess.Popen[str]
    port: int
    file: Path
    token: str = ""

    def send(self, method: str, path: str, body: str | None = None) -> Answer:
        """Send a request of the user, if they are logged in."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        sent = None if body is None else body.encode()
        return send_request(self.port, method, path, sent, headers)

    def log_in(self) -> None:
        """Log the user in."""
        answer = self.send("POST", "/api/auth/login", ACCOUNT)
        assert answer.status == 200, answer
        self.token = answer.json["access_token"]

    def create(self, title: str) -> Answer:
        """Create a task."""
        return self.send("POST", "/api/tasks", json.dumps({"title": title}))


@pytest.fixture
def project(render: Render) -> Path:
    """The default project."""
    return render()


@contextmanager
def serve(
    project: Path, environment: Environment, file: Path, **variables: str
) -> Iterator[Server]:
    """Run the command of the image as its Dockerfile does, on a migrated database with one user."""
    port = free_port()
    settings = {
        "ALLOWED_HOSTS": "*",
        "JWT_SECRET_KEY": secrets.token_hex(32),
        "DATABASE_URL": f"sqlite:///{file}",
        "PORT": str(port),
        **variables,
    }
    environment.check(project, "python", "-m", "migrations", **settings)
    process = start_image(environment, project, settings)
    server = Server(process, port, file)
    try:
        wait_for(server)
        server.send("POST", "/api/auth/register", ACCOUNT)
        server.log_in()
        yield server
    finally:
        process.kill()
        process.wait()


def wait_for(server: Server) -> None:
    """Wait until a server answers."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert server.process.poll() is None
        try:
            if server.send("GET", "/health").status == 200:
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail("the server does not answer")


def stored(file: Path) -> set[str]:
    """Return the titles of all tasks."""
    with closing(sqlite3.connect(file)) as connection:
        return {title for (title,) in connection.execute("SELECT title FROM tasks")}


def test_requests_in_flight_finish(project: Path, environment: Environment, tmp_path: Path) -> None:
    with (
        serve(project, environment, tmp_path / "app.db") as server,
        closing(sqlite3.connect(server.file, isolation_level=None)) as other,
        ThreadPoolExecutor(IN_FLIGHT) as pool,
    ):
        # Another writer holds the file, so that the requests have to wait for it.
        other.execute("BEGIN IMMEDIATE")
        titles = {str(number) for number in range(IN_FLIGHT)}
        answers = [pool.submit(server.create, title) for title in titles]
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert server.process.poll() is None
        other.execute("COMMIT")
        assert [answer.result().status for answer in answers] == [201] * IN_FLIGHT
        assert server.process.wait(timeout=10) == 0
        assert stored(server.file) == titles


def test_stuck_requests_end(project: Path, environment: Environment, tmp_path: Path) -> None:
    head = "POST /api/tasks HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"
    with serve(project, environment, tmp_path / "app.db", **{GRACE: "1"}) as server:
        stuck = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(IN_FLIGHT)]
        for connection in stuck:
            connection.sendall(head.encode())
        assert server.create("one").status == 201
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=20) == 0
        assert time.monotonic() - started >= 1
        for connection in stuck:
            connection.close()


def test_mails_wait_for_a_server_that_never_answers(
    render: Render, environment: Environment, tmp_path: Path
) -> None:
    project = render(mail=True)
    with socket.create_server(("127.0.0.1", 0)) as smtp:
        smtp.settimeout(START_SECONDS)
        variables = {
            "SMTP_URL": f"smtp://127.0.0.1:{smtp.getsockname()[1]}",
            "MAIL_FROM": "no-reply@example.com",
            "FRONTEND_URL": "https://example.com",
        }
        with serve(project, environment, tmp_path / "app.db", **variables) as server:
            connection, _ = smtp.accept()
            body = json.dumps({"email": "ada@example.com"})
            assert server.send("POST", "/api/auth/forgot-password", body).status == 202
            assert server.create("one").status == 201
            connection.setblocking(False)
            with pytest.raises(BlockingIOError):
                connection.recv(1)
            server.process.send_signal(signal.SIGTERM)
            # Less than an attempt takes.
            assert server.process.wait(timeout=20) == 0
        connection.close()
    with closing(sqlite3.connect(server.file)) as database:
        found = database.execute("SELECT kind, attempts FROM outgoing_mails ORDER BY created_at")
        assert found.fetchall() == [("verify_email", 1), ("reset_password", 0)]


def test_image_stops_in_time(project: Path) -> None:
    text = (project / "Dockerfile").read_text(encoding="utf-8")
    [seconds] = re.findall(rf"{GRACE}=(\d+)", text)
    # The time that a request may wait for the database, and that platforms give a process.
    assert 5 < int(seconds) < 20


def test_nothing_that_was_acknowledged_is_lost(
    project: Path, environment: Environment, tmp_path: Path
) -> None:
    acknowledged: set[str] = set()
    file = tmp_path / "app.db"

    def write(server: Server, writer: int) -> None:
        for number in range(1000):
            try:
                answer = server.create(f"{writer} {number}")
            except (OSError, HTTPException):
                return
            if answer.status == 201:
                acknowledged.add(f"{writer} {number}")

    for attempt in range(2):
        with serve(project, environment, file) as server:
            writers = [
                threading.Thread(target=write, args=(server, 4 * attempt + number))
                for number in range(4)
            ]
            for writer in writers:
                writer.start()
            time.sleep(1)
            server.process.kill()
            for writer in writers:
                writer.join()
        assert len(acknowledged) > attempt
        assert acknowledged <= stored(file)
