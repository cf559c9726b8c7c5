"""Connection strings for a PostgreSQL server that requires TLS."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.environment import Environment
from tests.support.rendering import render
from tests.support.servers import PASSWORD, postgres_with_tls

pytestmark = pytest.mark.long

# Runs in the project: connects with each string, and prints the connection's properties.
CONNECT = """
import asyncio, json, sys
from sqlalchemy import text
from app.db.engine import create_engine

SEEN = '''SELECT json_build_object(
    'user', current_user, 'database', current_database(), 'application', application_name,
    'tls', (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()),
    'client', (SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()),
    'address', host(inet_server_addr()), 'statement_timeout', current_setting('statement_timeout'))
    FROM pg_stat_activity WHERE pid = pg_backend_pid()'''

async def seen(url):
    try:
        engine = create_engine(url)
    except ValueError as error:
        return {"rejected": str(error)}
    try:
        async with engine.connect() as connection:
            return (await connection.execute(text(SEEN))).scalar_one()
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}"}
    finally:
        await engine.dispose()

async def main(urls):
    print(json.dumps([await seen(url) for url in urls]))

asyncio.run(main(json.loads(sys.argv[1])))
"""


class Server:
    """A server with TLS, and a project that connects to it."""

    def __init__(self, home: Path, port: int, backend: Path, environment: Environment) -> None:
        self.home = home
        self.port = port
        self.login = f"me:{quote(PASSWORD, safe='')}"
        self.backend = backend
        self.environment = environment

    def connect(self, url: str, **variables: str) -> dict[str, Any]:
        """Connect, and return the properties of the connection or the error."""
        url = url.format(
            login=self.login, port=self.port, home=self.home, socket=quote(str(self.home), safe="")
        )
        printed = self.environment.check(
            self.backend, "python", "-c", CONNECT, json.dumps([url]), **variables
        )
        found: dict[str, Any] = json.loads(printed.splitlines()[-1])[0]
        assert PASSWORD not in printed
        return found


@pytest.fixture(scope="module")
def server(
    template: Path, environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The server, and a project with the default answers."""
    backend = render(template, tmp_path_factory.mktemp("backend") / "one", {})
    with postgres_with_tls() as (home, port):
        yield Server(home, port, backend, environment)


LOCAL = "postgresql://{login}@localhost:{port}/postgres"
ADDRESS = "postgresql://{login}@127.0.0.1:{port}/postgres"
CA = "sslrootcert={home}/ca.crt"
OTHER = "sslrootcert={home}/other.crt"
CLIENT = "sslcert={home}/withcert.crt&sslkey={home}/withcert.key"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (LOCAL, {"user": "me", "tls": "TLSv1.3"}),
        (f"{LOCAL}?sslmode=require", {"tls": "TLSv1.3"}),
        (f"{LOCAL}?sslmode=require&{CA}", {"tls": "TLSv1.3"}),
        (f"{ADDRESS}?sslmode=verify-ca&{CA}", {"tls": "TLSv1.3", "address": "127.0.0.1"}),
        (f"{LOCAL}?sslmode=verify-full&{CA}", {"tls": "TLSv1.3"}),
        (f"{LOCAL}?channel_binding=require&sslmode=verify-full&{CA}", {"tls": "TLSv1.3"}),
        (
            f"{LOCAL}?sslmode=verify-full&{CA}&ssl_max_protocol_version=TLSv1.2",
            {"tls": "TLSv1.2"},
        ),
        (
            f"postgres://withcert@localhost:{{port}}/postgres?sslmode=verify-full&{CA}&{CLIENT}",
            {"user": "withcert", "client": "/CN=withcert"},
        ),
        (
            f"{LOCAL}?connect_timeout=10&application_name=api&options=-c%20statement_timeout%3D7s"
            "&keepalives=1&keepalives_idle=30&tcp_user_timeout=9000",
            {"application": "api", "statement_timeout": "7s"},
        ),
        ("postgresql://me@{socket}:{port}/postgres", {"tls": None, "address": None}),
        ("postgresql:///postgres?user=me&host={home}&port={port}", {"address": None}),
        ("postgresql://me@localhost:1/postgres?host={home}&port={port}", {"address": None}),
        ("postgresql://{login}@[::1]:{port}/postgres", {"address": "::1"}),
        (
            "postgresql://{login}@localhost:1,127.0.0.1:{port}/postgres"
            "?target_session_attrs=read-write&sslmode=require",
            {"address": "127.0.0.1"},
        ),
        (f"{LOCAL}?target_session_attrs=prefer-standby", {"user": "me"}),
        ("postgresql://localhost:{port}?{parameters}", {"database": "postgres"}),
    ],
)
def test_valid_connection_strings(server: Server, url: str, expected: dict[str, Any]) -> None:
    parameters = f"user=me&password={quote(PASSWORD, safe='')}&dbname=postgres"
    seen = server.connect(url.replace("{parameters}", parameters))
    assert seen | expected == seen


@pytest.mark.parametrize(
    ("url", "kind", "reason"),
    [
        (f"{LOCAL}?sslmode=disable", "failed", "no pg_hba.conf entry|no encryption"),
        (f"{LOCAL}?sslmode=require&{OTHER}", "failed", "certificate verify failed"),
        (f"{LOCAL}?sslmode=verify-ca&{OTHER}", "failed", "certificate verify failed"),
        (f"{LOCAL}?sslmode=verify-full&{OTHER}", "failed", "certificate verify failed"),
        (f"{LOCAL}?sslrootcert=system", "failed", "certificate verify failed"),
        (f"{ADDRESS}?sslmode=verify-full&{CA}", "failed", "IP address mismatch"),
        (f"{LOCAL}?target_session_attrs=standby", "failed", "No host is standby"),
        (f"{LOCAL}?sslmode=require&channel_binding=require", "rejected", "channel_binding"),
        (f"{LOCAL}?sslmode=verify-full&sslrootcert={{home}}/no.crt", "rejected", "sslrootcert"),
    ],
)
def test_failing_connection_strings(server: Server, url: str, kind: str, reason: str) -> None:
    assert any(part in server.connect(url)[kind] for part in reason.split("|"))


def test_libpq_variables_are_defaults(server: Server) -> None:
    variables = {
        "PGHOST": "localhost",
        "PGPORT": str(server.port),
        "PGUSER": "me",
        "PGPASSWORD": PASSWORD,
        "PGDATABASE": "postgres",
        "PGAPPNAME": "api",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(server.home / "ca.crt"),
    }
    seen = server.connect("postgresql://", **variables)
    assert (seen["user"], seen["application"], seen["tls"]) == ("me", "api", "TLSv1.3")


def test_unresponsive_host_is_skipped(server: Server) -> None:
    """`connect_timeout` applies to each host."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        seen = server.connect(
            f"postgresql://{{login}}@127.0.0.1:{port},localhost:{{port}}/postgres?connect_timeout=1"
        )
    assert seen["user"] == "me"


@pytest.mark.parametrize(
    ("query", "name"), [("sslmode=foo", "sslmode"), ("conect_timeout=1", "conect_timeout")]
)
def test_alembic_and_the_app_exit_with_one_line(server: Server, query: str, name: str) -> None:
    variables = {
        "DATABASE_URL": f"postgresql://me:hunter2@localhost/db?{query}",
        "JWT_SECRET_KEY": "the secret of a test, and of nothing else",
    }
    done = server.environment.run(server.backend, "alembic", "upgrade", "head", **variables)
    assert done.returncode != 0
    [line] = [line for line in done.stdout.splitlines() if line.strip()]
    assert name in line
    assert "hunter2" not in line
    started = server.environment.run(server.backend, "python", "-c", "import app.main", **variables)
    assert started.returncode != 0
    [line] = started.stdout.splitlines()
    assert line.startswith(f"Cannot start: DATABASE_URL: {name} ")
    assert "hunter2" not in line
