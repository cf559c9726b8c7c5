"""Processes that are stopped or killed, and clients that dawdle."""

import socket
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from bench.faults.clients import NO_ANSWER, Load, load
from bench.faults.servers import wait_until
from bench.faults.stage import Seen, Stage
from tests.support.clients import SLOW, SLOW_HEADERS, Client, be_slow
from tests.support.pages import block, on_loopback
from tests.support.servers import folder, free_port, program, run_server

IN_FLIGHT = 10
# After SIGTERM: with requests that can finish, and with others.
STOP_SECONDS = 10
STUCK_STOP_SECONDS = 20
HALF_A_REQUEST = b"POST /api/tasks HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"
ADDRESSES = ("10.0.0.11:8000", "10.0.0.12:8000", "10.0.0.13:8000")
SECONDS = 3


def exited(ended: tuple[int, float], limit: float) -> tuple[str, tuple[str, ...]]:
    """Return a note about how a process ended, and what was wrong."""
    status, seconds = ended
    note = f"exit status {status} after {seconds:.1f} s"
    return note, () if status == 0 and seconds < limit else (note,)


def stopped(stage: Stage) -> Seen:
    """Send SIGTERM while requests wait for a lock that another session holds."""
    with stage.app() as app, ThreadPoolExecutor(IN_FLIGHT + 1) as pool:
        found = Load(app.port, app.token)
        with stage.cluster.locked("LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE"):
            for _ in range(IN_FLIGHT):
                pool.submit(found.write, found.client(), 0)
            time.sleep(0.5)
            ended = pool.submit(app.stop)
            time.sleep(1)
        note, wrong = exited(ended.result(), STOP_SECONDS)
    seen = stage.seen(found, note=note)
    seen.allowed = frozenset()
    seen.wrong = wrong
    return seen


def stuck(stage: Stage) -> Seen:
    """Send SIGTERM while clients do not finish their requests."""
    with stage.app() as app, ExitStack() as stack:
        for _ in range(IN_FLIGHT):
            client = socket.create_connection(("127.0.0.1", app.port))
            stack.enter_context(client).sendall(HALF_A_REQUEST)
        with load(app.port, app.token) as found:
            time.sleep(1)
        note, wrong = exited(app.stop(), STUCK_STOP_SECONDS)
    seen = stage.seen(found, note=note)
    seen.wrong = wrong
    return seen


def killed(stage: Stage) -> Seen:
    """Kill the process under load, and start another one."""
    return kill(stage, lambda: None)


def killed_with_database(stage: Stage) -> Seen:
    """Kill the process and the database under load, and start both again."""

    def restart() -> None:
        stage.cluster.kill()
        stage.cluster.start()

    return kill(stage, restart)


def kill(stage: Stage, restart: Callable[[], None]) -> Seen:
    """Kill the process, and maybe more, under load; then write to a new one."""
    with stage.app() as app, load(app.port, app.token) as found:
        time.sleep(SECONDS)
        app.process.kill()
        restart()
    with stage.app() as app, load(app.port, app.token) as after:
        time.sleep(1)
    found.answers += after.answers
    found.acknowledged.update(after.acknowledged)
    note = f"{len(found.acknowledged)} acknowledged rows are stored"
    seen = stage.seen(found, note=note)
    seen.allowed = frozenset({503, NO_ANSWER})
    return seen


def still_open(connections: list[socket.socket]) -> int:
    """Count the connections that the server has not closed."""
    many = 0
    for connection in connections:
        connection.setblocking(False)
        try:
            many += bool(connection.recv(1000))
        except BlockingIOError:
            many += 1
        except OSError:
            continue
    return many


def dawdling(stage: Stage) -> Seen:
    """Keep many connections open on which a request has begun."""
    with stage.app() as app, ExitStack() as stack:
        dawdlers = [
            stack.enter_context(socket.create_connection(("127.0.0.1", app.port)))
            for _ in range(SLOW)
        ]
        for dawdler in dawdlers:
            dawdler.sendall(SLOW_HEADERS)
        with load(app.port, app.token) as found:
            time.sleep(SECONDS)
        note = f"{still_open(dawdlers)} of them are still open: a proxy must close them"
    seen = stage.seen(found, note=note)
    seen.allowed = frozenset()
    return seen


def dawdling_at_proxy(stage: Stage) -> Seen:
    """Do the same with HAProxy in front of the process, as docs/deployment.md configures it."""
    haproxy = program("haproxy")
    with stage.app(FORWARDED_ALLOW_IPS="127.0.0.1") as app, folder() as home:
        ports = {ADDRESSES[0]: app.port, **{name: free_port() for name in ADDRESSES[1:]}}
        proxy = free_port()
        file = home / "haproxy.cfg"
        text = on_loopback(block(stage.home, "haproxy"), home, {"443": proxy, **ports})
        file.write_text(text, encoding="utf-8")
        with run_server(home, proxy, haproxy, "-db", "-f", str(file)):
            client = Client(proxy, token=app.token)
            wait_until(
                lambda: client.try_to_send(200, "GET", "/api/tasks"), "an answer of the proxy"
            )
            client.failed.clear()
            seconds = be_slow(proxy, [b"", SLOW_HEADERS], client, 3 * STOP_SECONDS)
            client.close()
    note = f"{len(seconds)} of them were closed after {min(seconds):.1f} to {max(seconds):.1f} s"
    return Seen(
        Counter({200: len(client.succeeded)}),
        client.slowest,
        note=note,
        allowed=frozenset(),
        heals=False,
        wrong=() if len(seconds) == SLOW else (note,),
    )


FAULTS: dict[str, Callable[[Stage], Seen]] = {
    f"SIGTERM with {IN_FLIGHT} requests in flight": stopped,
    f"SIGTERM with {IN_FLIGHT} clients that do not finish their requests": stuck,
    "the process is killed (-9), and another one started": killed,
    "the process and the database are killed (-9), and started again": killed_with_database,
    f"{SLOW} clients dawdle": dawdling,
    f"{SLOW} clients dawdle at HAProxy": dawdling_at_proxy,
}
