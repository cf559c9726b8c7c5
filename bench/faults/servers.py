"""A PostgreSQL and a Redis of the measurements' own, which they kill and freeze."""

import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.project import numbers
from tests.support.servers import UNPRIVILEGED, folder, free_port, postgres_program, program

START_SECONDS = 60
USER = "app"


def wait_until(done: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if done():
            return
        time.sleep(0.02)
    raise TimeoutError(f"{what} did not happen within {seconds} s")


def family(pid: int) -> list[int]:
    """Return a process and all its descendants, parents first."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # It has ended.
            parents[int(stat.parent.name)] = int(numbers(stat)[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


class Server(ABC):
    """A server in a folder of its own, which can be started again after it was killed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command that runs it."""

    def has_ended(self) -> bool:
        """Return whether it has ended by itself."""
        return self.process is not None and self.process.poll() is not None

    @abstractmethod
    def answers(self) -> bool:
        """Return whether it can be used."""

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                **UNPRIVILEGED,
            )
        wait_until(self.answers, f"the start of {self.command()[0]}")

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to all its processes; the first one must not start another meanwhile."""
        assert self.process is not None
        if number in {signal.SIGKILL, signal.SIGSTOP}:
            self.process.send_signal(signal.SIGSTOP)
        for pid in family(self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """Kill all its processes at once."""
        if self.process is not None:
            self.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop all its processes, as a host that does not answer any more, until the block ends."""
        self.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.send_signal(signal.SIGCONT)


class Cluster(Server):
    """A PostgreSQL cluster with the settings of an installation, durability included."""

    def create(self, *options: str) -> None:
        """Create the cluster, with more options of initdb, and a database."""
        initdb = [postgres_program("initdb"), f"--username={USER}", "--auth=trust"]
        encoding = ["--encoding=UTF8", "--locale=C"]
        subprocess.run(
            [*initdb, *encoding, *options, str(self.home / "data")],
            cwd=self.home,
            check=True,
            capture_output=True,
            **UNPRIVILEGED,
        )
        self.start()
        self.run("CREATE DATABASE app", "postgres")

    def command(self) -> list[str]:
        """Return the command that runs it."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.home,
            # The log does not grow before it needs to.
            "min_wal_size": "32MB",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [postgres_program("postgres"), "-D", str(self.home / "data"), *options]

    @property
    def url(self) -> str:
        """The URL of the database."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/app"

    def psql(self, database: str = "app") -> list[str]:
        """Return the command that runs SQL, without a password and without the files of a user."""
        target = ["-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database]
        return [postgres_program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", *target]

    def answers(self) -> bool:
        """Return whether it can be used."""
        done = subprocess.run(
            [*self.psql("postgres"), "-c", "SELECT 1"], capture_output=True, check=False
        )
        return done.returncode == 0

    def run(self, sql: str, database: str = "app") -> list[str]:
        """Run statements, and return the lines of their results."""
        command = [*self.psql(database), "-F", "\t"]
        done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    @contextmanager
    def locked(self, sql: str) -> Iterator[Callable[[], None]]:
        """Hold the locks of a statement in a session; yield a function that ends it early."""
        with subprocess.Popen(
            self.psql(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as session:
            assert session.stdin is not None
            assert session.stdout is not None
            session.stdin.write(f"BEGIN; {sql}; SELECT 'held';\n")
            session.stdin.flush()
            assert session.stdout.readline() == "held\n"
            try:
                yield session.stdin.close
            finally:
                session.stdin.close()

    def version(self) -> str:
        """Return the name of the program and its version."""
        return f"PostgreSQL {self.run('SHOW server_version')[0].split()[0]}"


class Redis(Server):
    """A Redis that stores nothing on disk."""

    def command(self) -> list[str]:
        """Return the command that runs it."""
        where = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.home)]
        return [program("redis-server"), *where, "--save", "", "--appendonly", "no"]

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"redis://127.0.0.1:{self.port}"

    def ask(self, line: str) -> str:
        """Send a command, and return the first line of the reply."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(f"{line}\r\n".encode())
            return connection.recv(1000).decode().partition("\r\n")[0]

    def answers(self) -> bool:
        """Return whether it can be used."""
        with suppress(OSError):
            return self.ask("PING") == "+PONG"
        return False

    def version(self) -> str:
        """Return the name of the program and its version."""
        printed = subprocess.check_output([self.command()[0], "--version"], text=True)
        return f"Redis {printed.partition('v=')[2].split()[0]}"


@contextmanager
def cluster(*options: str) -> Iterator[Cluster]:
    """Run a new cluster."""
    with folder() as home:
        server = Cluster(home)
        try:
            server.create(*options)
            yield server
        finally:
            server.kill()


@contextmanager
def redis() -> Iterator[Redis]:
    """Run a new Redis."""
    with folder() as home:
        server = Redis(home)
        try:
            server.start()
            yield server
        finally:
            server.kill()


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Yield a folder for the user who runs the servers, in which little can be stored.

    Raises:
        PermissionError: this user may not mount one.
    """
    with folder() as home:
        place = home / "disk"
        place.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(place)]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PermissionError(f"no small disk can be mounted: {done.stderr.strip()}")
        try:
            if UNPRIVILEGED:
                shutil.chown(place, UNPRIVILEGED["user"], UNPRIVILEGED["group"])
            place.chmod(0o777)
            yield place
        finally:
            subprocess.run(["umount", "--lazy", str(place)], check=True)
