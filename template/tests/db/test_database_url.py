"""DATABASE_URL: each parameter of libpq works or is rejected by name, as in docs/database.md."""

import getpass
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.db.database import Database
from app.db.url.parse import PARAMETERS, read_database_url
from tests.support.database_urls import CERTIFICATE, PLAIN, SECRET, VERIFIED, arguments
from tests.support.databases import empty_database, needs_server

pytestmark = pytest.mark.usefixtures("clean_environment")

# A valid value of each parameter, and the parameters that it needs.
WORKING = {
    "host": "other",
    "port": "6543",
    "dbname": "other",
    "user": "other",
    "password": "other",
    "passfile": "/run/secrets/pgpass",
    "channel_binding": "prefer",
    "sslcertmode": "allow",
    "connect_timeout": "10",
    "client_encoding": "utf-8",
    "options": "-c statement_timeout=5s",
    "application_name": "api",
    "fallback_application_name": "api",
    "keepalives": "1",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "9000",
    "sslpassword": f"word&{VERIFIED}",
    "sslrootcert": "system",
    "sslkeylogfile": "KEYLOG&sslmode=require",
    "sslcert": "CERTIFICATE&sslmode=require",
    "sslkey": "CERTIFICATE&sslcert=CERTIFICATE&sslmode=require",
    "sslcrldir": f"FOLDER&{VERIFIED}",
    "ssl_min_protocol_version": "TLSv1.3&sslmode=require",
    "ssl_max_protocol_version": "TLSv1.2&sslmode=require",
}


def hosts(url: str) -> Sequence[tuple[str | None, int | None]]:
    """Return the hosts to connect to, with their ports."""
    found = read_database_url(url)
    creator = found.connect_args.get("async_creator_fn")
    if creator:
        return list(creator.keywords["hosts"])
    if "port" in found.connect_args:
        return [(found.connect_args["host"], found.connect_args["port"])]
    return [(found.url.host, found.url.port)]


def documented() -> list[list[str]]:
    """Return the rows of the table in the docs."""
    lines = Path("docs/database.md").read_text(encoding="utf-8").splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| `")]
    return [[cell.replace("`", "") for cell in row] for row in rows]


def test_docs_list_all_parameters() -> None:
    expected = [
        [name, "–" if parameter.refused else parameter.takes, parameter.variable or "–"]
        for name, parameter in PARAMETERS.items()
    ]
    assert [row[:3] for row in documented()] == expected
    for name, *_, fate in documented():
        parameter = PARAMETERS[name]
        assert fate.startswith("rejected") is parameter.refused
        assert not parameter.refused or fate == f"rejected: {parameter.because}"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///app.db", "sqlite+aiosqlite:///app.db"),
        ("sqlite:////data/app.db", "sqlite+aiosqlite:////data/app.db"),
        ("sqlite+aiosqlite:///app.db", "sqlite+aiosqlite:///app.db"),
        ("SQLite+pysqlite:///app.db?", "sqlite+aiosqlite:///app.db"),
        ("postgresql://me:p%40ss@host/app", "postgresql+asyncpg://me:p%40ss@host:5432/app"),
        ("postgres://me@host:6543/app", "postgresql+asyncpg://me@host:6543/app"),
        ("postgresql+psycopg2://me@host/app", "postgresql+asyncpg://me@host:5432/app"),
        ("POSTGRESQL+asyncpg://me@host/app", "postgresql+asyncpg://me@host:5432/app"),
        (" 'postgres://me@host/app'\n", "postgresql+asyncpg://me@host:5432/app"),
        ('"postgres://me@host/app"', "postgresql+asyncpg://me@host:5432/app"),
        ("postgres://me@[::1]:6543/a", "postgresql+asyncpg://me@[::1]:6543/a"),
        ("postgres://me@my_host", "postgresql+asyncpg://me@my_host:5432"),
        ("postgres://host?user=me&dbname=a", "postgresql+asyncpg://me@host:5432/a"),
        (
            "postgres://you@wrong:1/b?user=me&dbname=a&host=host&port=2",
            "postgresql+asyncpg://me@host:2/a",
        ),
        ("postgres://me@/a?hostaddr=127.0.0.1", "postgresql+asyncpg://me@127.0.0.1:5432/a"),
    ],
)
def test_url_names_the_driver(url: str, expected: str) -> None:
    assert read_database_url(url).url.render_as_string(hide_password=False) == expected


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("%2F%3F%40%3A%25", "/?@:%"),
        ("%C3%A9+é", "é+é"),
        ("a:b?c&d#e", "a:b?c&d#e"),
        ("100%", "100%"),
        ("", None),
    ],
)
def test_password_is_decoded(written: str, password: str | None) -> None:
    found = read_database_url(f"postgresql://me:{written}@host/app").url
    assert (found.username, found.password, found.host) == ("me", password, "host")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://me@%2Frun%2Fpg/a", [("/run/pg", 5432)]),
        ("postgresql:///a?host=/run/pg&port=6543", [("/run/pg", 6543)]),
        ("postgresql://localhost/a?host=/run/pg", [("/run/pg", 5432)]),
        ("postgresql://", [(None, 5432)]),
        ("postgresql://me@:6543/a", [(None, 6543)]),
        ("postgresql://one,two/a", [("one", 5432), ("two", 5432)]),
        ("postgresql://one:1,two/a", [("one", 1), ("two", 5432)]),
        ("postgresql://[::1]:1,[::2]:2/a", [("::1", 1), ("::2", 2)]),
        ("postgresql:///a?host=one,/run/pg&port=1,2", [("one", 1), ("/run/pg", 2)]),
        ("postgresql:///a?host=one,two&port=6543", [("one", 6543), ("two", 6543)]),
        ("postgresql:///a?hostaddr=::1,127.0.0.1", [("::1", 5432), ("127.0.0.1", 5432)]),
    ],
)
def test_hosts(url: str, expected: list[tuple[str | None, int]]) -> None:
    assert hosts(url) == expected


def test_user_defaults_to_the_system_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "me")
    assert read_database_url("postgresql://host").url.username == "me"

    def fail() -> str:
        raise KeyError

    monkeypatch.setattr(getpass, "getuser", fail)
    with pytest.raises(ValueError, match="user"):
        read_database_url("postgresql://host")


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_works_or_is_rejected_by_name(
    name: str, tmp_path: Path, client_certificates: list[tuple[str, str | None, str]]
) -> None:
    parameter = PARAMETERS[name]
    if parameter.refused:
        with pytest.raises(ValueError, match=rf"^DATABASE_URL: {name} is not supported") as caught:
            read_database_url(f"{PLAIN}?{name}={SECRET}")
        assert SECRET not in str(caught.value)
        return
    value = WORKING.get(name) or parameter.takes.partition(", ")[0]
    value = value.replace("CERTIFICATE", str(CERTIFICATE)).replace("FOLDER", str(tmp_path))
    base = "postgresql:///app" if name in {"host", "hostaddr"} else PLAIN
    value = {"hostaddr": "127.0.0.1", "sslcrl": f"{CERTIFICATE}&{VERIFIED}"}.get(name, value)
    found = read_database_url(f"{base}?{name}={value.replace('KEYLOG', str(tmp_path / 'keys'))}")
    assert found.url.drivername == "postgresql+asyncpg"
    # No parameter is left that SQLAlchemy or the driver would reject.
    assert found.url.query == {}
    assert found.connect_args.keys() <= {
        *("ssl", "direct_tls", "target_session_attrs", "passfile", "timeout", "host", "port"),
        *("server_settings", "async_creator_fn", "statement_cache_size"),
        "prepared_statement_cache_size",
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"ssl": "prefer", "direct_tls": False, "target_session_attrs": "any"}),
        ("sslmode=disable&sslrootcert=anything", {"ssl": False}),
        ("sslmode=allow", {"ssl": "allow"}),
        ("requiressl=0", {"ssl": "prefer"}),
        ("connect_timeout=10", {"timeout": 10}),
        ("connect_timeout=0", {"timeout": None}),
        ("passfile=/p", {"passfile": "/p"}),
        ("application_name=a+b%20c", {"server_settings": {"application_name": "a+b c"}}),
        (
            "application_name=a&fallback_application_name=b",
            {"server_settings": {"application_name": "a"}},
        ),
        ("fallback_application_name=b", {"server_settings": {"application_name": "b"}}),
        ("options=-c%20a%3Db", {"server_settings": {"options": "-c a=b"}}),
        ("options=-c a=b", {"server_settings": {"options": "-c a=b"}}),
        ("sslmode=require&sslnegotiation=direct", {"direct_tls": True}),
        ("target_session_attrs=standby", {"target_session_attrs": "standby"}),
        ("pgbouncer=true", {"statement_cache_size": 0, "prepared_statement_cache_size": 0}),
    ],
)
def test_arguments_of_the_driver(query: str, expected: dict[str, Any]) -> None:
    found = arguments(f"{PLAIN}?{query}")
    assert found | expected == found


def test_statements_are_prepared_without_pgbouncer() -> None:
    assert "statement_cache_size" not in arguments(f"{PLAIN}?pgbouncer=false")


def test_variables_of_libpq_are_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "there")
    monkeypatch.setenv("PGSSLMODE", "disable")
    monkeypatch.setenv("PGAPPNAME", "api")
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "")
    assert hosts("postgresql://me@/app") == [("there", 5432)]
    assert hosts(PLAIN) == [("host", 5432)]
    assert arguments(PLAIN) == {
        "ssl": False,
        "direct_tls": False,
        "target_session_attrs": "any",
        "server_settings": {"application_name": "api"},
    }
    assert isinstance(arguments(f"{PLAIN}?ssl=true")["ssl"], ssl.SSLContext)
    monkeypatch.setenv("PGREQUIREAUTH", "none")
    with pytest.raises(ValueError, match="PGREQUIREAUTH"):
        read_database_url(PLAIN)
    assert read_database_url("sqlite:///app.db").connect_args == {}


@needs_server
@pytest.mark.parametrize(
    "query",
    [
        "connect_timeout=10&application_name=api&keepalives=1&keepalives_idle=30",
        "target_session_attrs=read-write&load_balance_hosts=random",
        "channel_binding=prefer&gssencmode=prefer&sslcompression=0&options=-cwork_mem%3D1MB",
        "pgbouncer=true",
    ],
)
async def test_database_answers(query: str, tmp_path: Path) -> None:
    async with empty_database(tmp_path) as url:
        database = Database(f"{url}{'&' if '?' in url else '?'}{query}")
        await database.ping()
        await database.dispose()
