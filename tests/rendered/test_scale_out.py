"""Three processes of the image behind HAProxy, with the configuration of docs/deployment.md.

They share one PostgreSQL database through PgBouncer, and Redis.
"""

import json
import re
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from tests.support.clients import SLOW, SLOW_HEADERS, Client, be_slow
from tests.support.environment import Environment
from tests.support.image import start_image
from tests.support.pages import block, on_loopback, replaced
from tests.support.postgres import Postgres
from tests.support.preset_server import send_request
from tests.support.rendering import render
from tests.support.servers import folder, free_port, pgbouncer, program, run_server

pytestmark = pytest.mark.long

START_SECONDS = 30
ATTEMPTS = 3
# More than the tests send.
REQUESTS = 1_000_000
CLIENTS = 6
PASSWORD = "a sound that no bird makes"
# The addresses of the processes in the page.
ADDRESSES = ("10.0.0.11:8000", "10.0.0.12:8000", "10.0.0.13:8000")
NAMES = ("one", "two", "three")
TITLES = """
import asyncio, asyncpg, json, sys

async def main(url):
    connection = await asyncpg.connect(url)
    print(json.dumps([row["title"] for row in await connection.fetch("SELECT title FROM tasks")]))

asyncio.run(main(sys.argv[1]))
"""


@dataclass
class Service:
    """The running processes, and what is needed to start another one."""

    start: Callable[[int], subprocess.Popen[str]]
    database: str
    proxy_socket: Path
    ports: list[int]
    proxy: int
    processes: list[subprocess.Popen[str]]
    token: str = ""
    clients: list[Client] = field(default_factory=list)

    def wait(self, number: int) -> None:
        """Wait until a process is ready."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            assert self.processes[number].poll() is None
            with suppress(OSError):
                if send_request(self.ports[number], "GET", "/ready", None, {}).status == 200:
                    return
            time.sleep(0.05)
        pytest.fail("the process is not ready")

    def switch(self, number: int, state: str) -> None:
        """Take a process out of the proxy (drain), or put it back (ready), as the page says."""
        command = f"set server processes/{NAMES[number]} state {state}"
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.proxy_socket))
            connection.sendall(f"{command}\n".encode())
            assert connection.recv(1000) == b"\n"

    def replace(self, number: int) -> None:
        """Start a process in the place of one that has ended, and wait until it is ready."""
        self.processes[number] = self.start(number)
        self.wait(number)

    def client(self, number: int | None = None) -> Client:
        """Return a client of the user: of the proxy, or of one process."""
        port = self.proxy if number is None else self.ports[number]
        client = Client(port, tls=number is None, token=self.token)
        self.clients.append(client)
        return client

    def close_clients(self) -> None:
        """Close the connections of all clients."""
        while self.clients:
            self.clients.pop().close()

    def titles(self, environment: Environment) -> set[str]:
        """Return the titles of all stored tasks."""
        return set(json.loads(environment.check(Path("/"), "python", "-c", TITLES, self.database)))


def account(name: str) -> dict[str, str]:
    """Return the account of a user."""
    return {"email": f"{name}@example.com", "password": PASSWORD}


def sign_up(client: Client, name: str) -> dict[str, str]:
    """Register and log in; return the tokens."""
    assert client.send("POST", "/api/auth/register", account(name))[0] == 201
    status, tokens = client.send("POST", "/api/auth/login", account(name))
    assert status == 200
    return dict(tokens)


@pytest.fixture(scope="module")
def project(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default project."""
    return render(template, tmp_path_factory.mktemp("scale-out") / "project", {})


@pytest.fixture(scope="module")
def service(
    project: Path, environment: Environment, postgres: Postgres, redis_url: str
) -> Iterator[Service]:
    """Three processes behind the proxy, with one user."""
    haproxy = program("haproxy")
    # That of no other run.
    window = 300 + secrets.randbelow(70_000)
    with postgres.database() as url, pgbouncer(url) as pooled, folder() as home:
        settings = {
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": f"{pooled}?pgbouncer=true",
            "FORWARDED_ALLOW_IPS": "127.0.0.1",
            "JWT_SECRET_KEY": secrets.token_hex(32),
            "RATE_LIMIT_STORAGE_URL": redis_url,
            "RATE_LIMIT_LOGIN": f"{ATTEMPTS} per {window} seconds",
            "RATE_LIMIT_REQUESTS": f"{REQUESTS} per {window} seconds",
        }
        environment.check(project, "python", "-m", "migrations", **settings)
        ports = [free_port() for _ in ADDRESSES]

        def start(number: int) -> subprocess.Popen[str]:
            return start_image(environment, project, {**settings, "PORT": str(ports[number])})

        used = {"443": free_port(), **dict(zip(ADDRESSES, ports, strict=True))}
        file = home / "haproxy.cfg"
        file.write_text(on_loopback(block(project, "haproxy"), home, used), encoding="utf-8")
        processes = [start(number) for number in range(len(ports))]
        found = Service(start, url, home / "admin.sock", ports, used["443"], processes)
        try:
            for number in range(len(ports)):
                found.wait(number)
            with run_server(home, found.proxy, haproxy, "-db", "-f", str(file)):
                found.token = sign_up(found.client(), "ada")["access_token"]
                found.close_clients()
                yield found
        finally:
            for process in found.processes:
                process.kill()
                process.wait()


@pytest.fixture(autouse=True)
def closed_clients(service: Service) -> Iterator[None]:
    """Close the connections of each test."""
    yield
    service.close_clients()


@contextmanager
def load(service: Service, acknowledged: set[str], *, reads: bool) -> Iterator[list[Client]]:
    """Write, and maybe read, with several clients at the same time until the block ends."""
    stop = threading.Event()
    clients = [service.client() for _ in range(CLIENTS)]
    run = secrets.token_hex(4)

    def work(client: Client, name: int) -> None:
        for number in count():
            if stop.is_set():
                break
            title = f"{run} {name} {number}"
            if client.try_to_send(201, "POST", "/api/tasks", {"title": title}):
                acknowledged.add(title)
            if reads:
                client.try_to_send(200, "GET", "/api/tasks?page_size=5")
        client.close()

    threads = [
        threading.Thread(target=work, args=(client, number))
        for number, client in enumerate(clients)
    ]
    for thread in threads:
        thread.start()
    try:
        yield clients
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_logout_in_one_process_is_known_to_the_others(service: Service) -> None:
    tokens = sign_up(service.client(), "bob")
    others = [service.client(number) for number in range(3)]
    for client in others:
        client.token = tokens["access_token"]
        assert client.send("GET", "/api/auth/me")[0] == 200
    body = {"refresh_token": tokens["refresh_token"]}
    assert others[1].send("POST", "/api/auth/logout", body)[0] == 204
    assert [client.send("GET", "/api/auth/me")[0] for client in others] == [401] * 3
    assert [client.send("GET", "/api/tasks")[0] for client in others] == [401] * 3


def test_failed_logins_in_all_processes_share_one_limit(service: Service) -> None:
    sign_up(service.client(), "eve")
    wrong = {**account("eve"), "password": "another sound"}

    def log_in(number: int | None, body: dict[str, str]) -> int:
        client = service.client(number)
        client.token = ""
        return client.send("POST", "/api/auth/login", body)[0]

    assert [log_in(number, wrong) for number in range(ATTEMPTS)] == [401] * ATTEMPTS
    assert [log_in(number, account("eve")) for number in (0, 1, 2, None)] == [429] * 4


def test_requests_to_all_processes_share_one_limit(service: Service) -> None:
    token = sign_up(service.client(), "zoe")["access_token"]
    left = []
    for number in (0, 1, 2, None, 2, 1, 0):
        client = service.client(number)
        client.token = token
        assert client.send("GET", "/api/tasks")[0] == 200
        [quota] = re.findall(r'"user";r=(\d+);t=\d+', client.headers["RateLimit"])
        left.append(int(quota))
    assert left == [REQUESTS - count for count in range(1, 8)]


def test_slow_clients_are_closed_and_do_not_delay_others(
    service: Service, project: Path, figure: Callable[[str], None]
) -> None:
    text = block(project, "haproxy")
    [documented] = map(int, re.findall(r"timeout http-request (\d+)s", text))
    assert f"after {documented} seconds receives a 408" in (
        project / "docs/deployment.md"
    ).read_text(encoding="utf-8")
    body = (
        b"POST /api/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Content-Length: 4000\r\n\r\n{"
    )
    client = service.client()
    seconds = be_slow(service.proxy, [b"", SLOW_HEADERS, body], client, 3 * documented)
    figure(
        f"slow clients: {len(seconds)} of {SLOW} closed after {min(seconds, default=0):.1f} to "
        f"{max(seconds, default=0):.1f} s; {len(client.succeeded)} requests of another client, "
        f"of {client.slowest:.2f} s at most"
    )
    # All are closed before the clients give up, and others are served meanwhile.
    assert len(seconds) == SLOW
    assert client.failed == []
    assert len(client.succeeded) > documented


def test_nginx_closes_slow_clients_as_well(
    service: Service, project: Path, figure: Callable[[str], None]
) -> None:
    nginx = program("nginx")
    text = block(project, "nginx")
    [documented] = map(int, re.findall(r"client_header_timeout (\d+)s", text))
    used = {"443": free_port(), **dict(zip(ADDRESSES, service.ports, strict=True))}
    # All clients have the same address here.
    text = replaced(text, {"limit_conn clients 100;": f"limit_conn clients {2 * SLOW};"})
    with folder() as home:
        file = home / "nginx.conf"
        file.write_text(on_loopback(text, home, used), encoding="utf-8")
        options = f"pid {home}/pid; daemon off;"
        arguments = ("-p", str(home), "-c", str(file), "-e", "stderr", "-g", options)
        with run_server(home, used["443"], nginx, *arguments):
            client = service.client()
            client.port = used["443"]
            assert client.send("POST", "/api/tasks", {"title": "By nginx"})[0] == 201
            seconds = be_slow(used["443"], [b"", SLOW_HEADERS], client, 3 * documented)
            client.close()
    figure(f"slow clients of nginx: closed after {min(seconds):.1f} to {max(seconds):.1f} s")
    assert len(seconds) == SLOW


def test_killed_process_loses_no_acknowledged_write(
    service: Service, environment: Environment, figure: Callable[[str], None]
) -> None:
    acknowledged: set[str] = set()
    with load(service, acknowledged, reads=False) as clients:
        time.sleep(1.5)
        service.processes[0].kill()
        killed = time.monotonic()
        time.sleep(3)
    service.processes[0].wait()
    service.replace(0)
    failed = [one for client in clients for one in client.failed]
    stored = service.titles(environment)
    figure(
        f"kill -9 of one of three processes: {len(acknowledged)} writes acknowledged, "
        f"{len(acknowledged & stored)} of them stored, {len(failed)} requests failed"
    )
    assert len(acknowledged) > CLIENTS
    assert acknowledged <= stored
    # Only requests that this process may have read fail; the others go on.
    assert [text for at, text in failed if at < killed] == []
    assert len(failed) <= 2 * CLIENTS
    assert all(client.succeeded[-1] > killed + 1 for client in clients)


def test_rolling_restart_fails_no_request(
    service: Service, project: Path, environment: Environment, figure: Callable[[str], None]
) -> None:
    page = (project / "docs/deployment.md").read_text(encoding="utf-8")
    for state in ("drain", "ready"):
        assert f"echo 'set server processes/{NAMES[0]} state {state}' | socat stdio" in page
    acknowledged: set[str] = set()
    started = time.monotonic()
    with load(service, acknowledged, reads=True) as clients:
        for number, process in enumerate(service.processes):
            service.switch(number, "drain")
            time.sleep(1)
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)
            service.replace(number)
            service.switch(number, "ready")
        time.sleep(1)
    failed = [one for client in clients for one in client.failed]
    sent = len(failed) + sum(len(client.succeeded) for client in clients)
    figure(
        f"rolling restart of three processes in {time.monotonic() - started:.1f} s: "
        f"{len(failed)} of {sent} requests failed"
    )
    assert failed == []
    assert acknowledged <= service.titles(environment)
