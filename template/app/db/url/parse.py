"""Parse DATABASE_URL: which database to use, and how to connect to it.

PostgreSQL URLs are parsed as libpq does. Each parameter that libpq documents works, or is rejected
by name before the app starts; docs/database.md lists them. The driver itself would ignore some of
them, and fail at the first request because of others.
"""

import getpass
import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from typing import Any
from urllib.parse import unquote

from sqlalchemy.engine import URL

from app.db.url.hosts import Hosts, connect, socket_options
from app.db.url.tls import MODES, tls, tls_mode

NAME = "DATABASE_URL"
DEFAULT_PORT = 5432

DRIVERS = {
    "sqlite": {"", "aiosqlite", "pysqlite"},
    "postgresql": {"", "asyncpg", "pg8000", "psycopg", "psycopg2", "psycopg2cffi", "psycopg_async"},
}

_BACKENDS = {"sqlite": "sqlite", "postgres": "postgresql", "postgresql": "postgresql"}
_SCHEME = re.compile(r"([a-z]+)(?:\+([a-z0-9_]+))?://", re.IGNORECASE)
_HOST_NAME = re.compile(r"[^\s@:?#/\\<>\"'\[\]]+")
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_SHOWABLE = re.compile(r"[A-Za-z][\w.-]{0,39}", re.ASCII)


@dataclass(frozen=True)
class Parameter:
    """The values that a parameter takes, in words and as a pattern, and its environment variable."""

    takes: str
    pattern: str = ".*"
    variable: str = ""
    because: str = ""

    @property
    def refused(self) -> bool:
        """Whether every value is rejected."""
        return not self.pattern


def _any(takes: str, variable: str = "") -> Parameter:
    return Parameter(takes, ".*", variable)


def _one_of(*values: str, variable: str = "", because: str = "") -> Parameter:
    return Parameter(", ".join(values), "|".join(map(re.escape, values)), variable, because)


def _whole(unit: str, variable: str = "") -> Parameter:
    return Parameter(unit, r"\s*[+-]?[0-9]{1,9}\s*", variable)


def _refused(because: str, variable: str = "") -> Parameter:
    return Parameter("refused", "", variable, because)


_NO_GSS = "the driver does not encrypt with GSSAPI"
_NO_KERBEROS = "the app does not authenticate with GSSAPI"
_NO_OAUTH = "the driver does not authenticate with OAuth"
_NO_SERVICE = "write the parameters of the service into the URL"
_TLS_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")

# Those that libpq documents, in its order; then one from JDBC, and one of this app.
PARAMETERS = {
    "host": _any("names, addresses or directories of sockets, comma-separated", "PGHOST"),
    "hostaddr": _any("addresses, comma-separated, instead of host", "PGHOSTADDR"),
    "port": _any("numbers from 1 to 65535, comma-separated", "PGPORT"),
    "dbname": _any("a name", "PGDATABASE"),
    "user": _any("a name", "PGUSER"),
    "password": _any("a string", "PGPASSWORD"),
    "passfile": _any("a file", "PGPASSFILE"),
    "require_auth": _refused("the driver does not restrict how it authenticates", "PGREQUIREAUTH"),
    "channel_binding": _one_of("disable", "prefer", "require", variable="PGCHANNELBINDING"),
    "connect_timeout": _whole("a whole number of seconds", "PGCONNECT_TIMEOUT"),
    "client_encoding": Parameter(
        "UTF8", "(?i:utf-?8|unicode)", "PGCLIENTENCODING", "the app uses no other encoding"
    ),
    "options": _any("options of the server", "PGOPTIONS"),
    "application_name": _any("a string", "PGAPPNAME"),
    "fallback_application_name": _any("a string"),
    "keepalives": _whole("0 or 1"),
    "keepalives_idle": _whole("a whole number of seconds"),
    "keepalives_interval": _whole("a whole number of seconds"),
    "keepalives_count": _whole("a whole number"),
    "tcp_user_timeout": _whole("a whole number of milliseconds"),
    "replication": _one_of(
        "false", "off", "no", "0", because="the app does not use the replication protocol"
    ),
    "gssencmode": _one_of("disable", "prefer", variable="PGGSSENCMODE", because=_NO_GSS),
    "sslmode": _one_of(*MODES, variable="PGSSLMODE"),
    "requiressl": _one_of("0", "1"),
    "sslnegotiation": _one_of("postgres", "direct", variable="PGSSLNEGOTIATION"),
    "sslcompression": _one_of("0", variable="PGSSLCOMPRESSION", because="it is unsafe in TLS"),
    "sslcert": _any("a file", "PGSSLCERT"),
    "sslkey": _any("a file", "PGSSLKEY"),
    "sslkeylogfile": _any("a file"),
    "sslpassword": _any("a string"),
    "sslcertmode": _one_of(
        "disable",
        "allow",
        variable="PGSSLCERTMODE",
        because="the driver cannot tell whether the server asked for a certificate",
    ),
    "sslrootcert": _any("a file, or system", "PGSSLROOTCERT"),
    "sslcrl": _any("a file", "PGSSLCRL"),
    "sslcrldir": _any("a directory", "PGSSLCRLDIR"),
    "sslsni": _one_of("1", variable="PGSSLSNI", because="the driver always sends the name"),
    "requirepeer": _refused(
        "the driver does not check the user of the server process", "PGREQUIREPEER"
    ),
    "ssl_min_protocol_version": _one_of(*_TLS_VERSIONS, variable="PGSSLMINPROTOCOLVERSION"),
    "ssl_max_protocol_version": _one_of(*_TLS_VERSIONS, variable="PGSSLMAXPROTOCOLVERSION"),
    "min_protocol_version": _one_of(
        "3.0", variable="PGMINPROTOCOLVERSION", because="the driver uses version 3.0"
    ),
    "max_protocol_version": _one_of("3.0", "3.2", "latest", variable="PGMAXPROTOCOLVERSION"),
    "krbsrvname": _one_of("postgres", variable="PGKRBSRVNAME", because=_NO_KERBEROS),
    "gsslib": _one_of("gssapi", variable="PGGSSLIB", because=_NO_KERBEROS),
    "gssdelegation": _one_of("0", variable="PGGSSDELEGATION", because=_NO_KERBEROS),
    "scram_client_key": _refused("the driver authenticates with passwords"),
    "scram_server_key": _refused("the driver authenticates with passwords"),
    "service": _refused(_NO_SERVICE, "PGSERVICE"),
    "servicefile": _refused(_NO_SERVICE),
    "target_session_attrs": _one_of(
        "any",
        "read-write",
        "read-only",
        "primary",
        "standby",
        "prefer-standby",
        variable="PGTARGETSESSIONATTRS",
    ),
    "load_balance_hosts": _one_of("disable", "random", variable="PGLOADBALANCEHOSTS"),
    "oauth_issuer": _refused(_NO_OAUTH),
    "oauth_client_id": _refused(_NO_OAUTH),
    "oauth_client_secret": _refused(_NO_OAUTH),
    "oauth_scope": _refused(_NO_OAUTH),
    "ssl": _one_of("true", *MODES),
    "pgbouncer": _one_of("true", "false"),
}


@dataclass(frozen=True)
class DatabaseURL:
    """Arguments for an engine: a URL with the driver, and what a URL cannot contain."""

    url: URL
    connect_args: dict[str, Any] = field(default_factory=dict)


def read_database_url(text: str) -> DatabaseURL:
    """Parse DATABASE_URL; error messages do not repeat values, which may be passwords.

    Raises:
        ValueError: the app cannot use the URL.
    """
    text = text.strip()
    # Some tools keep the quotes around a value.
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1].strip()
    scheme = _SCHEME.match(text)
    backend = _BACKENDS.get(scheme[1].lower()) if scheme else None
    if not scheme or not backend:
        raise ValueError(f"{NAME} must begin with sqlite:/// or postgresql://")
    if scheme[2] and scheme[2].lower() not in DRIVERS[backend]:
        raise ValueError(f"{NAME} names an unknown driver; the app picks its own: {backend}://…")
    try:
        rest = text[scheme.end() :]
        return _sqlite(rest) if backend == "sqlite" else _postgresql(rest)
    except ValueError as error:
        raise ValueError(f"{NAME}: {error}") from None


def _sqlite(rest: str) -> DatabaseURL:
    path, _, query = rest.partition("?")
    if path in {"", "/", "/:memory:"}:
        raise ValueError("it must name a file; databases in memory are not supported")
    if not path.startswith("/"):
        raise ValueError("write three slashes before the file: sqlite:///app.db")
    for name, _ in _pairs(query):
        raise ValueError(f"{_shown(name)}: parameters are not supported for SQLite")
    return DatabaseURL(URL.create("sqlite+aiosqlite", database=path[1:]))


def _postgresql(rest: str) -> DatabaseURL:
    given = _given(rest)
    hosts = _hosts(given)
    mode = tls_mode(given)
    _check_channel_binding(given, hosts, mode)
    wanted = given.get("target_session_attrs", "any")
    arguments: dict[str, Any] = {
        "ssl": tls(given, mode),
        "direct_tls": given.get("sslnegotiation") == "direct",
        "target_session_attrs": wanted,
    }
    if "passfile" in given:
        arguments["passfile"] = given["passfile"]
    if "connect_timeout" in given:
        seconds = int(given["connect_timeout"])
        # As in libpq, zero means no timeout.
        arguments["timeout"] = seconds if seconds > 0 else None
    if settings := _server_settings(given):
        arguments["server_settings"] = settings
    if given.get("pgbouncer") == "true":
        # PgBouncer may execute a prepared statement on another connection, which does not have it.
        arguments["statement_cache_size"] = arguments["prepared_statement_cache_size"] = 0
    url = URL.create(
        "postgresql+asyncpg",
        username=given.get("user") or _system_user(),
        password=given.get("password"),
        database=given.get("dbname"),
    )
    options = socket_options(given)
    host, port = hosts[0]
    if len(hosts) > 1 or options or wanted != "any":
        arguments["async_creator_fn"] = partial(
            connect,
            hosts=hosts,
            shuffled=given.get("load_balance_hosts") == "random",
            options=options,
        )
    elif host and not _is_socket(host):
        url = url.set(host=host, port=port)
    else:
        arguments |= {"host": host or None, "port": port}
    return DatabaseURL(url, arguments)


def _given(rest: str) -> dict[str, str]:
    """Return the parameters: from the query, else from the rest of the URL, else the environment."""
    # As in libpq, the user is before the first @, unless a slash comes earlier.
    login = ""
    if "@" in rest.partition("/")[0]:
        login, _, rest = rest.partition("@")
    user, _, password = login.partition(":")
    hosts = re.split("[/?]", rest, maxsplit=1)[0]
    name, _, parameters = rest[len(hosts) :].removeprefix("/").partition("?")
    addresses = [_split_host(host) for host in hosts.split(",")]
    ports = ",".join(port for _, port in addresses)
    given = {
        "user": _decode(user, "user"),
        "password": _decode(password, "password"),
        "host": _decode(",".join(host for host, _ in addresses), "host"),
        "port": _decode(ports if ports.strip(",") else "", "port"),
        "dbname": _decode(name, "dbname"),
    }
    query: dict[str, str] = {}
    for name, value in _pairs(parameters):
        if name not in PARAMETERS:
            close = get_close_matches(name, PARAMETERS, 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise ValueError(f"{_shown(name)} is an unknown parameter{hint}")
        if name in query:
            raise ValueError(f"{name} is given twice")
        query[name] = _checked(name, name, value)
    given |= query
    tls_given = {"ssl", "requiressl"} & query.keys()
    for name, parameter in PARAMETERS.items():
        default = os.environ.get(parameter.variable) if parameter.variable else None
        if default and not given.get(name) and not (name == "sslmode" and tls_given):
            given[name] = _checked(name, parameter.variable, default)
    return {name: value for name, value in given.items() if value}


def _split_host(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        if not bracket:
            raise ValueError("host has an unclosed bracket")
        return host, port.removeprefix(":")
    host, _, port = text.partition(":")
    return host, port


def _pairs(query: str) -> Iterator[tuple[str, str]]:
    for part in filter(None, query.split("&")):
        name, equals, value = part.partition("=")
        name = _decode(name, "a parameter")
        if not equals:
            raise ValueError(f"{_shown(name)} has no value")
        yield name, _decode(value, _shown(name))


def _decode(text: str, name: str) -> str:
    try:
        text = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError(f"{name} contains percent-encoded bytes that are not UTF-8") from None
    if "\0" in text:
        raise ValueError(f"{name} contains a null character")
    return text


def _shown(name: str) -> str:
    """Return a name for a message, unless it may be part of a password."""
    return name if _SHOWABLE.fullmatch(name) else "a parameter"


def _checked(name: str, shown: str, value: str) -> str:
    parameter = PARAMETERS[name]
    if parameter.refused:
        raise ValueError(f"{shown} is not supported: {parameter.because}")
    if not re.fullmatch(parameter.pattern, value, re.DOTALL | re.ASCII):
        because = f": {parameter.because}" if parameter.because else ""
        raise ValueError(f"{shown} takes {parameter.takes}{because}")
    return value


def _hosts(given: Mapping[str, str]) -> Hosts:
    addresses = given.get("hostaddr")
    if addresses and "host" in given:
        raise ValueError("hostaddr and host cannot be combined: give one of them")
    if addresses:
        names = [_checked_address(address) for address in addresses.split(",")]
    else:
        names = [_checked_host(name) for name in given.get("host", "").split(",")]
    ports = [_checked_port(port) for port in given.get("port", "").split(",")]
    if len(ports) == 1:
        ports *= len(names)
    if len(ports) != len(names):
        raise ValueError(f"port has {len(ports)} numbers for {len(names)} hosts")
    return tuple(zip(names, ports, strict=True))


def _checked_address(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        raise ValueError("hostaddr takes IP addresses") from None


def _checked_host(host: str) -> str:
    if ":" in host and not host.startswith("/"):
        with suppress(ValueError):
            return str(ipaddress.IPv6Address(host))
    if host and not _is_socket(host) and not _HOST_NAME.fullmatch(host):
        raise ValueError(
            "host takes names, addresses or directories of sockets; in a user name or password, "
            "write @ as %40 and / as %2F"
        )
    return host


def _checked_port(port: str) -> int:
    if port and not (_PORT.fullmatch(port) and 0 < int(port) < 65_536):  # noqa: PLR2004
        raise ValueError(
            "port takes numbers from 1 to 65535; in a user name or password, "
            "write / as %2F and : as %3A"
        )
    return int(port or DEFAULT_PORT)


def _is_socket(host: str) -> bool:
    return host.startswith("/")


def _check_channel_binding(given: Mapping[str, str], hosts: Hosts, mode: str) -> None:
    """Reject `channel_binding=require` unless the certificate of the server is verified.

    Channel binding protects against a man in the middle, as verifying the certificate does. The
    driver does not have it, and must not skip the protection silently.
    """
    local = any(not host or _is_socket(host) for host, _ in hosts)
    if given.get("channel_binding") == "require" and (local or mode != "verify-full"):
        raise ValueError(
            "channel_binding=require is not supported without sslmode=verify-full: the driver has "
            "no channel binding, so let it verify the certificate of the server instead. Write "
            "sslmode=verify-full&sslrootcert=system (or the file of the CA), or leave out "
            "channel_binding"
        )


def _server_settings(given: Mapping[str, str]) -> dict[str, str]:
    settings = {name: given[name] for name in ("options", "application_name") if name in given}
    if "fallback_application_name" in given:
        settings.setdefault("application_name", given["fallback_application_name"])
    return settings


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        raise ValueError("user is missing, and the name of the system user is unknown") from None
