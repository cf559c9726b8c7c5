"""Invalid values of DATABASE_URL: errors name the parameter, and do not repeat secrets."""

import re
from pathlib import Path

import pytest
from alembic.util import CommandError
from pydantic import ValidationError

from app.db.database import Database
from app.db.url.parse import PARAMETERS, Parameter, read_database_url
from app.settings import DatabaseSettings
from tests.support.database_urls import CERTIFICATE, PLAIN, SECRET, VERIFIED
from tests.support.databases import alembic

pytestmark = pytest.mark.usefixtures("clean_environment")


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


def has_pattern(parameter: Parameter) -> bool:
    """Return whether a parameter takes certain values only."""
    return not parameter.refused and parameter.pattern != ".*"


@pytest.mark.parametrize("name", [name for name in PARAMETERS if has_pattern(PARAMETERS[name])])
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
    with pytest.raises(ValidationError, match=name) as rejected:
        DatabaseSettings(_env_file=None)
    assert SECRET not in str(rejected.value)
