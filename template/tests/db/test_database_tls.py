"""TLS connections to the database: modes, versions, certificates and revocation lists."""

import ssl
from pathlib import Path

import pytest

from tests.support.database_urls import CERTIFICATE, PLAIN, VERIFIED, arguments

pytestmark = pytest.mark.usefixtures("clean_environment")


def context(query: str) -> ssl.SSLContext:
    """Return the TLS context."""
    found = arguments(f"{PLAIN}?{query}")["ssl"]
    assert isinstance(found, ssl.SSLContext)
    return found


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
    tmp_path: Path, client_certificates: list[tuple[str, str | None, str]]
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
    assert client_certificates == [own]
    context(f"sslmode=require&sslcert={CERTIFICATE}&sslpassword=word")
    assert client_certificates == [own, (str(CERTIFICATE), own[1], "word")]
    context("sslmode=require&sslcertmode=disable")
    assert len(client_certificates) == 2


def test_missing_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", fail)
    assert context("sslmode=require").verify_mode == ssl.CERT_NONE
