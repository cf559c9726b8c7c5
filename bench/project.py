"""A rendered project to measure: its environment, databases, users, rows and servers."""

import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from bench.rows import Rows
from tests.support.environment import CACHE, Environment, locked, uv
from tests.support.postgres import STATEMENT, Postgres, server_url
from tests.support.rendering import copy_template, render
from tests.support.servers import free_port

BENCH = Path(__file__).resolve().parent
START_SECONDS = 30
# The JSON library of the floor, the formatter of revisions, and a client.
TOOLS = ("orjson", "ruff", "httpx")
PASSWORD = "correct horse battery"
# The same for all servers, so that all accept the same tokens, for as long as they are measured.
SHARED = {
    "ENVIRONMENT": "production",
    "ALLOWED_HOSTS": "*",
    "JWT_SECRET_KEY": secrets.token_hex(32),
    "ACCESS_TOKEN_EXPIRE_MINUTES": "1000",
    # As in the image: connections stay open while another server is measured.
    "UVICORN_TIMEOUT_KEEP_ALIVE": "75",
}


@dataclass(frozen=True)
class Project:
    """A rendered project, and the environment that runs it."""

    home: Path
    environment: Environment

    @property
    def command(self) -> list[str]:
        """Its production command: the one of its image, on loopback."""
        lines = (self.home / "Dockerfile").read_text(encoding="utf-8").splitlines()
        [command] = [line.removeprefix("CMD ") for line in lines if line.startswith("CMD [")]
        return [word.replace("0.0.0.0", "127.0.0.1") for word in json.loads(command)]

    def migrate(self, url: str) -> None:
        """Create the tables."""
        self.environment.check(
            self.home, "python", "-m", "alembic", "upgrade", "head", DATABASE_URL=url
        )


@dataclass(frozen=True)
class User:
    """A user of a database, who is logged in."""

    id: str
    token: str


def install(project: Path) -> Environment:
    """Make the environment of the benchmarks, or find the one that was made before.

    It has what the project requires in production, and what the benchmarks use.
    """
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = sorted([*pyproject["project"]["dependencies"], *TOOLS])
    key = hashlib.sha256("\n".join([sys.version, *wanted]).encode()).hexdigest()[:16]
    environment = Environment(CACHE / "benchmarks" / key)
    python = str(environment.python)
    with locked(CACHE / "benchmarks.lock"):
        ready = environment.home / "ready"
        if not ready.exists():
            for command in (
                ["venv", "--quiet", "--clear", "--python", sys.executable, str(environment.home)],
                ["pip", "install", "--quiet", "--compile-bytecode", "--python", python, *wanted],
            ):
                subprocess.run([uv(), *command], check=True)
            freeze = [uv(), "pip", "freeze", "--quiet", "--python", python]
            ready.write_bytes(subprocess.check_output(freeze))
    return environment


def render_project(folder: Path, answers: dict[str, Any] | None = None) -> Project:
    """Render the working tree into a folder that does not exist."""
    template = folder.with_name(f"{folder.name}-template")
    home = render(copy_template(template), folder, answers or {})
    shutil.rmtree(template)
    return Project(home, install(home))


def versions(environment: Environment, *names: str) -> str:
    """The versions of some packages of the environment, for the page."""
    script = "import importlib.metadata as m, sys; print(*map(m.version, sys.argv[1:]))"
    found = environment.check(Path("/"), "python", "-c", script, *names).split()
    return ", ".join(f"{name} {version}" for name, version in zip(names, found, strict=True))


def postgres_version(environment: Environment) -> str:
    """The version of the server, for the page."""
    script = (
        "import asyncio, sys, asyncpg\n"
        "async def main():\n"
        "    connection = await asyncpg.connect(sys.argv[1])\n"
        "    print(await connection.fetchval('SHOW server_version'))\n"
        "asyncio.run(main())"
    )
    answer = environment.check(Path("/"), "python", "-c", script, server_url())
    return f"PostgreSQL {answer.split()[0]}"


@contextmanager
def database(kind: str, environment: Environment, folder: Path) -> Iterator[str]:
    """The URL of an empty database, removed afterwards."""
    if kind == "postgresql":
        postgres = Postgres(environment)
        if not postgres.available:
            reason = (postgres.ping.stdout.strip().splitlines() or ["no answer"])[-1]
            sys.exit(f"No PostgreSQL: {reason}. Set TEST_POSTGRES_URL, or use --database sqlite.")
        with postgres.database() as url:
            yield url
    else:
        path = folder / f"{secrets.token_hex(8)}.db"
        yield f"sqlite:///{path}"
        for file in folder.glob(f"{path.name}*"):
            file.unlink()


def execute(environment: Environment, url: str, statement: str) -> None:
    """Run one statement on PostgreSQL."""
    environment.check(Path("/"), "python", "-c", STATEMENT, url, statement)


def fill(environment: Environment, url: str, *sets: Rows) -> None:
    """Store tasks; a set without a user belongs to a new one."""
    given = json.dumps([asdict(rows) for rows in sets])
    environment.check(Path("/"), "python", str(BENCH / "rows.py"), url, given)


def numbers(stat: Path) -> list[str]:
    """What /proc/<pid>/stat says after the name of the program: its state, its parent, …"""
    return stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()


class Server:
    """A running server, in one process or more."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def processes(self) -> list[Path]:
        """The folders of its processes in /proc, its children included."""
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # It has ended.
                parents[int(stat.parent.name)] = int(numbers(stat)[1])
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return [Path(f"/proc/{pid}") for pid in found]

    def cpu_seconds(self) -> float:
        """The CPU time that it has used, of the user and of the system."""
        ticks = 0
        for folder in self.processes():
            ticks += sum(map(int, numbers(folder / "stat")[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """The resident memory of its largest process."""
        pages = [
            int((folder / "statm").read_text(encoding="ascii").split()[1])
            for folder in self.processes()
        ]
        return max(pages) * os.sysconf("SC_PAGE_SIZE") / 1_000_000

    def ask(
        self,
        method: str,
        path: str,
        content: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:  # noqa: ANN401  # Whatever JSON it is.
        """Send one request, which has to succeed, and return what the JSON of the answer holds."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={"Content-Type": "application/json", **(headers or {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.loads(response.read() or b"null")
        except HTTPError as error:
            error.add_note(f"{method} {path}: {error.read().decode(errors='replace')}")
            raise

    def register(self, name: str) -> User:
        """Register a user of the project, and log in."""
        account = {"email": f"{name}@example.com", "password": PASSWORD}
        user = self.ask("POST", "/api/auth/register", account)
        tokens = self.ask("POST", "/api/auth/login", account)
        return User(user["id"], tokens["access_token"])


@contextmanager
def running(
    environment: Environment, directory: Path, command: Sequence[str], url: str, processes: int = 1
) -> Iterator[Server]:
    """Run a server; nothing reads what it logs."""
    port = free_port()
    variables = {
        "HOME": os.environ.get("HOME", "/"),
        "PATH": os.pathsep.join([str(environment.home / "bin"), os.environ["PATH"]]),
        **SHARED,
        "DATABASE_URL": url,
        "PORT": str(port),
        "WEB_CONCURRENCY": str(processes),
    }
    process = subprocess.Popen(
        command,
        cwd=directory,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # So that a Ctrl-C reaches the benchmark first, which then stops its servers.
        start_new_session=True,
    )
    started = Server(process, port)
    try:
        wait(started)
        yield started
    finally:
        process.terminate()
        try:
            process.wait(timeout=START_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait(started: Server) -> None:
    """Wait until a server answers."""
    for _ in range(START_SECONDS * 10):
        if started.process.poll() is not None:
            sys.exit(f"{started.process.args!r} exited with {started.process.returncode}")
        with suppress(OSError, HTTPException):
            started.ask("GET", "/health")
            return
        time.sleep(0.1)
    sys.exit(f"{started.process.args!r} does not answer")


def serve(project: Project, url: str, processes: int = 1) -> AbstractContextManager[Server]:
    """Run the project, as its image does."""
    return running(project.environment, project.home, project.command, url, processes)


def serve_own(
    environment: Environment, module: str, url: str, processes: int = 1
) -> AbstractContextManager[Server]:
    """Run an app of this folder in the same way."""
    command = ["uvicorn", f"{module}:app", "--host", "127.0.0.1", "--no-access-log"]
    # Uvicorn does not read PORT.
    shell = ["sh", "-c", f"exec {' '.join(command)} --port $PORT"]
    return running(environment, BENCH, shell, url, processes)
