"""DATABASE_URL: each parameter of libpq works or is rejected by name, as in docs/database.md."""

import getpass
import re
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import asyncpg  # type: ignore[import-untyped]
import pytest
from alembic.util import CommandError
from pydantic import ValidationError

from app.db.database import Database
from app.db.url.hosts import connect, socket_options
from app.db.url.parse import PARAMETERS, Parameter, read_database_url
from app.settings import DatabaseSettings
from tests.support.databases import SERVER_URL, alembic, empty_database

SECRET = "hunter2"
PLAIN = f"postgresql://me:{SECRET}@host/app"
VERIFIED = "sslmode=verify-full&sslrootcert=system"

# A self-signed certificate without its key.
CERTIFICATE = Path("tests/support/certificate.pem")

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


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment without variables of libpq, and an empty home directory."""
    for parameter in PARAMETERS.values():
        monkeypatch.delenv(parameter.variable or "PG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def identified(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None, str]]:
    """The client certificates that are loaded, with their keys and passwords."""
    found: list[tuple[str, str | None, str]] = []

    def load(_context: object, certfile: str, keyfile: str, password: Callable[[], str]) -> None:
        found.append((certfile, keyfile, password()))

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", load)
    return found


def arguments(url: str) -> dict[str, Any]:
    """Return the arguments of the driver besides the URL."""
    return read_database_url(url).connect_args


def hosts(url: str) -> Sequence[tuple[str | None, int | None]]:
    """Return the hosts to connect to, with their ports."""
    found = read_database_url(url)
    creator = found.connect_args.get("async_creator_fn")
    if creator:
        return list(creator.keywords["hosts"])
    if "port" in found.connect_args:
        return [(found.connect_args["host"], found.connect_args["port"])]
    return [(found.url.host, found.url.port)]


def context(query: str) -> ssl.SSLContext:
    """Return the TLS context."""
    found = arguments(f"{PLAIN}?{query}")["ssl"]
    assert isinstance(found, ssl.SSLContext)
    return found


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
    "url",
    [
        "",
        " ",
        "app.db",
        "mysql://host/app",
        "jdbc:postgresql://host/app",
        "host=localhost dbname=app",
        "'postgresql://host/app",
        "postgresql+nothing://host/app",
        "sqlite+pysqlcipher:///app.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite://app.db",
    ],
)
def test_other_urls_are_rejected(url: str) -> None:
    with pytest.raises(ValueError, match=r"^DATABASE_URL\b"):
        Database(url)


@pytest.mark.parametrize("query", ["timeout=5", "mode=ro", "uri=true", "check_same_thread=false"])
def test_sqlite_has_no_parameters(query: str) -> None:
    with pytest.raises(ValueError, match=query.partition("=")[0]):
        read_database_url(f"sqlite:///app.db?{query}")


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
    name: str, tmp_path: Path, identified: list[tuple[str, str | None, str]]
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


def closed(parameter: Parameter) -> bool:
    """Return whether a parameter takes certain values only."""
    return not parameter.refused and parameter.pattern != ".*"


@pytest.mark.parametrize("name", [name for name in PARAMETERS if closed(PARAMETERS[name])])
@pytest.mark.parametrize("value", [SECRET, "", "true;", "99999999999", "1.5"])
def test_wrong_value_is_rejected(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=rf"^DATABASE_URL: {name} takes ") as caught:
        read_database_url(f"{PLAIN}?{name}={value}")
    assert PARAMETERS[name].takes in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        (
            "conect_timeout=1",
            "conect_timeout is an unknown parameter; did you mean connect_timeout",
        ),
        ("SSLMODE=require", "SSLMODE is an unknown"),
        ("statement_cache_size=0", "statement_cache_size is an unknown"),
        ("schema=public", "schema is an unknown"),
        (f"{SECRET}@=1", "a parameter is an unknown"),
        ("sslmode", "sslmode has no value"),
        ("sslmode=require&sslmode=disable", "sslmode is given twice"),
        ("port=0", "port takes"),
        ("port=65536", "port takes"),
        ("port=1,2", "port has 2 numbers for 1 hosts"),
        ("hostaddr=127.0.0.1", "hostaddr and host"),
        ("application_name=%ff", "application_name contains"),
        ("application_name=%00", "application_name contains"),
        ("%ff=1", "a parameter contains"),
        ("sslrootcert=system&sslmode=require", "sslrootcert=system needs"),
        ("sslnegotiation=direct", "sslnegotiation=direct needs"),
        ("sslrootcert=ca.crt", "sslrootcert needs sslmode"),
        ("sslcert=me.crt&sslmode=prefer", "sslcert needs sslmode"),
        ("sslcertmode=disable", "sslcertmode needs sslmode"),
        ("ssl_min_protocol_version=TLSv1.3&sslmode=allow", "ssl_min_protocol_version needs"),
        (
            "sslmode=require&ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2",
            "ssl_max_protocol_version is below",
        ),
        ("sslmode=verify-ca", "sslmode=verify-ca needs sslrootcert"),
        ("sslmode=require&sslrootcert=nowhere.crt", "sslrootcert names a file"),
        ("sslmode=require&sslcert=nowhere.crt", "sslcert names a file"),
        (f"sslmode=require&sslcert={CERTIFICATE}&sslkey=nowhere.key", "sslkey names a file"),
        (f"sslmode=require&sslcert={Path(__file__)}", "sslcert, sslkey and"),
        (f"{VERIFIED}&sslcrl=nowhere.crl", "sslcrl names a file"),
        (f"{VERIFIED}&sslcrldir=nowhere", "sslcrldir names a file"),
        ("sslmode=require&sslkeylogfile=nowhere/keys", "sslkeylogfile names a file"),
        ("channel_binding=require", "channel_binding=require is not supported"),
        ("channel_binding=require&sslmode=require", "channel_binding=require is not supported"),
        (f"channel_binding=require&{VERIFIED}&host=/run", "channel_binding=require is not"),
        ("keepalives_idle=999999999", "keepalives_idle has a value"),
    ],
)
def test_rejected_by_name(query: str, named: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"DATABASE_URL: {named}")) as caught:
        read_database_url(f"{PLAIN}?{query}")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{SECRET}/x@host/app",
        f"postgresql://me:1@{SECRET}@host/app",
        f"postgresql://me:x@[::1]{SECRET}/app",
        f"postgresql://me:x@[{SECRET}/app",
        f"postgresql://me:{SECRET}%ff@host/app",
        f"postgresql://me:x@{SECRET} host/app",
        "postgresql://me@one/a?hostaddr=host&host=",
    ],
)
def test_errors_of_addresses_do_not_repeat_them(url: str) -> None:
    with pytest.raises(
        ValueError, match=r"^DATABASE_URL: (host|hostaddr|port|password) "
    ) as caught:
        read_database_url(url)
    assert SECRET not in str(caught.value)


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


@pytest.mark.parametrize(
    ("query", "verified", "named"),
    [
        ("sslmode=require", False, False),
        ("ssl=true", False, False),
        ("requiressl=1", False, False),
        ("ssl=require", False, False),
        (f"sslmode=require&sslrootcert={CERTIFICATE}", True, False),
        (f"sslmode=verify-ca&sslrootcert={CERTIFICATE}", True, False),
        (f"sslmode=verify-full&sslrootcert={CERTIFICATE}", True, True),
        ("sslrootcert=system", True, True),
        (f"ssl=true&{VERIFIED}", True, True),
        (f"channel_binding=require&{VERIFIED}", True, True),
    ],
)
def test_tls_verifies_what_the_mode_says(query: str, verified: bool, named: bool) -> None:
    found = context(query)
    assert (found.verify_mode == ssl.CERT_REQUIRED) is verified
    assert found.check_hostname is named
    assert found.minimum_version == ssl.TLSVersion.TLSv1_2


def test_tls_versions_and_revocation_lists() -> None:
    versions = "ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.3"
    found = context(f"{VERIFIED}&{versions}&sslcrl={CERTIFICATE}&sslcertmode=disable")
    assert found.minimum_version == found.maximum_version == ssl.TLSVersion.TLSv1_3
    assert found.verify_flags & ssl.VERIFY_CRL_CHECK_CHAIN


def test_tls_files_in_the_home_directory(
    tmp_path: Path, identified: list[tuple[str, str | None, str]]
) -> None:
    assert context("sslmode=require").verify_mode == ssl.CERT_NONE
    folder = tmp_path / ".postgresql"
    folder.mkdir()
    for name in ("root.crt", "root.crl", "postgresql.crt", "postgresql.key"):
        (folder / name).write_bytes(CERTIFICATE.read_bytes())
    found = context("sslmode=require")
    assert found.verify_mode == ssl.CERT_REQUIRED
    assert found.verify_flags & ssl.VERIFY_CRL_CHECK_CHAIN
    own = (str(folder / "postgresql.crt"), str(folder / "postgresql.key"), "")
    assert identified == [own]
    context(f"sslmode=require&sslcert={CERTIFICATE}&sslpassword=word")
    assert identified == [own, (str(CERTIFICATE), own[1], "word")]
    context("sslmode=require&sslcertmode=disable")
    assert len(identified) == 2


def test_missing_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", fail)
    assert context("sslmode=require").verify_mode == ssl.CERT_NONE


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


def test_socket_options() -> None:
    alive = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    count = (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    assert socket_options({}) == ()
    assert socket_options({"keepalives": "1"}) == (alive,)
    assert socket_options({"keepalives_count": "3"}) == (alive, count)
    assert socket_options({"keepalives_count": "0"}) == (alive,)
    assert socket_options({"keepalives": "0", "keepalives_count": "3"}) == ()


class Server:
    """Fake connections: each host is a kind of failure, or a kind of server."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.options: list[tuple[int, ...]] = []
        self.family = socket.AF_UNIX if host.startswith("/") else socket.AF_INET
        self._transport = self

    def get_extra_info(self, _name: str) -> Self:
        """Return the socket."""
        return self

    def setsockopt(self, *option: int) -> None:
        """Record an option."""
        self.options.append(option)


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts to which a connection was attempted."""
    tried: list[str] = []

    async def stand_in(host: str, target_session_attrs: str, **_others: object) -> Server:
        tried.append(host)
        if host == "down":
            raise ConnectionRefusedError
        if host == "starting":
            raise asyncpg.CannotConnectNowError
        if host == "locked":
            raise asyncpg.InvalidPasswordError
        if host == "primary" and target_session_attrs == "standby":
            raise asyncpg.TargetServerAttributeNotMatched
        return Server(host)

    monkeypatch.setattr(asyncpg, "connect", stand_in)
    return tried


async def reach(*names: str, wanted: str = "any", shuffled: bool = False) -> Server:
    """Connect to one of several hosts."""
    connection: Server = await connect(
        hosts=tuple((name, 5432) for name in names),
        shuffled=shuffled,
        options=((1, 2, 3),),
        target_session_attrs=wanted,
    )
    return connection


@pytest.mark.parametrize(
    ("names", "wanted", "reached"),
    [
        (["one", "two"], "any", "one"),
        (["down", "two"], "any", "two"),
        (["starting", "down", "two"], "any", "two"),
        (["primary", "two"], "standby", "two"),
        (["primary", "two"], "prefer-standby", "two"),
        (["down", "primary"], "prefer-standby", "primary"),
    ],
)
async def test_first_matching_host(
    tried: list[str], names: list[str], wanted: str, reached: str
) -> None:
    connection = await reach(*names, wanted=wanted)
    assert connection.host == reached
    assert connection.options == [(1, 2, 3)]


async def test_no_matching_host(tried: list[str]) -> None:
    with pytest.raises(OSError, match="standby"):
        await reach("down", "primary", wanted="standby")
    with pytest.raises(ConnectionRefusedError):
        await reach("down", "down")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await reach("locked", "two")
    assert "two" not in tried


async def test_hosts_are_shuffled(tried: list[str]) -> None:
    names = [str(number) for number in range(9)]
    firsts = {(await reach(*names, shuffled=True)).host for _ in range(99)}
    assert len(firsts) > 1
    assert firsts <= set(names)


async def test_unix_sockets_have_no_tcp_options(tried: list[str]) -> None:
    assert (await reach("/run/pg")).options == []


@pytest.mark.skipif(not SERVER_URL, reason="needs a server")
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


@pytest.mark.parametrize("query", ["sslmode=foo", "nothing=1", "service=app"])
async def test_app_does_not_start_with_a_wrong_url(
    query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = query.partition("=")[0]
    with pytest.raises(CommandError, match=name) as caught:
        await alembic(f"{PLAIN}?{query}", "upgrade", "head")
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    monkeypatch.setenv("DATABASE_URL", f"{PLAIN}?{query}")
    with pytest.raises(ValidationError, match=name) as refused:
        DatabaseSettings(_env_file=None)
    assert SECRET not in str(refused.value)
