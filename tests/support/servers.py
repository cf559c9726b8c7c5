"""Servers that tests start: PgBouncer, and PostgreSQL with TLS."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

# Both refuse to run as root.
UNPRIVILEGED: dict[str, Any] = (
    {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
)
START_SECONDS = 30

PGBOUNCER = """
[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 200
"""
# Newer versions support prepared statements in transaction mode by default.
WITHOUT_PREPARED_STATEMENTS = "max_prepared_statements = 0\n"
SUPPORTS_PREPARED_STATEMENTS = (1, 21)


def program(name: str, *folders: Path) -> str:
    """Return the path of a program, or skip the test."""
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", *map(str, folders)])
    found = shutil.which(name, path=path)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def postgres_program(name: str) -> str:
    """Return the path of a PostgreSQL server program, which Debian does not put on PATH."""
    return program(name, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))


def free_port() -> int:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a folder for the user who runs the servers; only the current user can read pytest's."""
    with tempfile.TemporaryDirectory() as name:
        if UNPRIVILEGED:
            shutil.chown(name, "nobody", "nogroup")
        yield Path(name)


def write(path: Path, text: str) -> None:
    """Write a file that only the user who runs the servers may read."""
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    if UNPRIVILEGED:
        shutil.chown(path, "nobody", "nogroup")


@contextmanager
def run_server(home: Path, port: int, *command: str) -> Iterator[None]:
    """Run a server, and wait until it listens on a port."""
    log = home / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            **UNPRIVILEGED,
        ) as process,
    ):
        try:
            for _ in range(START_SECONDS * 10):
                assert process.poll() is None, log.read_text(encoding="utf-8")
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                except OSError:
                    time.sleep(0.1)
                else:
                    break
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def pgbouncer(url: str) -> Iterator[str]:
    """Run PgBouncer in transaction mode with two connections to a database; yield its URL."""
    command = program("pgbouncer")
    parts = urlsplit(url)
    port = free_port()
    with folder() as home:
        server = {
            "host": parts.hostname or "",
            "port": str(parts.port or 5432),
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
        }
        quoted = {name: value.replace("'", "''") for name, value in server.items() if value}
        written = " ".join(f"{name}='{value}'" for name, value in quoted.items())
        configuration = PGBOUNCER.format(server=written, listen_port=port)
        version = subprocess.run([command, "--version"], check=True, capture_output=True, text=True)
        numbers = re.findall(r"\d+", version.stdout)
        if tuple(map(int, numbers[:2])) >= SUPPORTS_PREPARED_STATEMENTS:
            configuration += WITHOUT_PREPARED_STATEMENTS
        write(home / "pgbouncer.ini", configuration)
        with run_server(home, port, command, str(home / "pgbouncer.ini")):
            yield f"postgresql://anyone@127.0.0.1:{port}{parts.path}"


def create_certificate(home: Path, name: str, issuer: str | None, *extensions: str) -> None:
    """Create a key and a certificate, which an issuer signs or which is self-signed."""
    openssl = program("openssl")
    files = ["-keyout", f"{name}.key", "-out", f"{name}.crt"]
    signed = ["-CA", f"{issuer}.crt", "-CAkey", f"{issuer}.key"] if issuer else []
    added = [word for extension in extensions for word in ("-addext", extension)]
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "2"),
            *("-subj", f"/CN={name}", *files, *signed, *added),
        ],
        cwd=home,
        check=True,
        capture_output=True,
        **UNPRIVILEGED,
    )


HBA = """
local all all trust
hostssl all withcert all cert
hostssl all all all scram-sha-256
"""
PASSWORD = "p@ss/w:rd?%&é"


@contextmanager
def postgres_with_tls() -> Iterator[tuple[Path, int]]:
    """Run a PostgreSQL that requires TLS, except on sockets; yield its folder and its port.

    The folder contains the certificates of the server's authority (ca), of the server for
    localhost, of another authority (other), and of the user withcert.
    """
    initdb, postgres = postgres_program("initdb"), postgres_program("postgres")
    port = free_port()
    with folder() as home:
        not_ca = "basicConstraints=CA:FALSE"
        create_certificate(home, "ca", None)
        create_certificate(home, "other", None)
        create_certificate(home, "server", "ca", "subjectAltName=DNS:localhost", not_ca)
        create_certificate(home, "withcert", "ca", not_ca)
        write(home / "password", PASSWORD)
        data = home / "data"
        subprocess.run(
            [
                *(initdb, "--username=me", "--auth=scram-sha-256", "--no-sync"),
                *("--encoding=UTF8", f"--pwfile={home / 'password'}", str(data)),
            ],
            cwd=home,
            check=True,
            capture_output=True,
            **UNPRIVILEGED,
        )
        subprocess.run(
            [postgres, "--single", "-D", str(data), "postgres"],
            cwd=home,
            check=True,
            capture_output=True,
            input=b"CREATE ROLE withcert LOGIN\n",
            **UNPRIVILEGED,
        )
        write(data / "pg_hba.conf", HBA)
        settings = {
            "listen_addresses": "127.0.0.1,::1",
            "port": port,
            "unix_socket_directories": home,
            "ssl": "on",
            "ssl_ca_file": home / "ca.crt",
            "ssl_cert_file": home / "server.crt",
            "ssl_key_file": home / "server.key",
            "fsync": "off",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with run_server(home, port, postgres, "-D", str(data), *options):
            yield home, port
