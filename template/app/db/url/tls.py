"""TLS for PostgreSQL, set up as in libpq. Files are read once, when the app starts."""

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# Only with a mode that requires TLS.
FILES = ("sslcert", "sslkey", "sslpassword", "sslrootcert", "sslcrl", "sslcrldir", "sslkeylogfile")
VERSIONS = ("ssl_min_protocol_version", "ssl_max_protocol_version")
SYSTEM = "system"


def tls_mode(given: Mapping[str, str]) -> str:
    """Return the `sslmode`: the strictest one that the parameters name.

    Raises:
        ValueError: it contradicts other parameters.
    """
    named = [given["sslmode"]] if "sslmode" in given else []
    if "ssl" in given:
        named.append("require" if given["ssl"] == "true" else given["ssl"])
    if given.get("requiressl") == "1":
        named.append("require")
    system = given.get("sslrootcert") == SYSTEM
    mode = max(named, key=MODES.index, default="verify-full" if system else "prefer")
    if system and mode != "verify-full":
        raise ValueError("sslrootcert=system needs sslmode=verify-full")
    if mode in {"disable", "allow", "prefer"} and given.get("sslnegotiation") == "direct":
        raise ValueError("sslnegotiation=direct needs sslmode=require, verify-ca or verify-full")
    if mode in {"allow", "prefer"}:
        for name in (*FILES, *VERSIONS, "sslcertmode"):
            if given.get(name, "allow") != "allow":
                raise ValueError(
                    f"{name} needs sslmode=require, verify-ca or verify-full: without one of these, "
                    "a connection may be unencrypted"
                )
    return mode


def tls(given: Mapping[str, str], mode: str) -> bool | str | ssl.SSLContext:
    """Return the `ssl` argument of the driver.

    Raises:
        ValueError: a file cannot be used, or the versions contradict each other.
    """
    if mode == "disable":
        return False
    if mode in {"allow", "prefer"}:
        return mode
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["postgresql"])
    context.check_hostname = mode == "verify-full"
    _set_versions(context, given)
    _trust(context, given, mode)
    if given.get("sslcertmode") != "disable":
        _identify(context, given)
    if "sslkeylogfile" in given:
        _use("sslkeylogfile", lambda: setattr(context, "keylog_filename", given["sslkeylogfile"]))
    return context


def _use(name: str, load: Callable[[], object]) -> None:
    """Load a file; an error names its parameter."""
    try:
        load()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not readable"
        raise ValueError(f"{name} names a file that cannot be used: {reason}") from None


def _default(name: str) -> str | None:
    """Return the file that libpq uses by default, if it exists."""
    try:
        path = Path.home() / ".postgresql" / name
    except RuntimeError:
        return None
    return str(path) if path.is_file() else None


def _set_versions(context: ssl.SSLContext, given: Mapping[str, str]) -> None:
    least, most = (given.get(name, "").replace(".", "_") for name in VERSIONS)
    context.minimum_version = ssl.TLSVersion[least or "TLSv1_2"]
    if most:
        context.maximum_version = ssl.TLSVersion[most]
        if context.maximum_version < context.minimum_version:
            raise ValueError(f"{VERSIONS[1]} is below {VERSIONS[0]}")


def _trust(context: ssl.SSLContext, given: Mapping[str, str], mode: str) -> None:
    root = given.get("sslrootcert") or _default("root.crt")
    if root == SYSTEM:
        context.load_default_certs()
    elif root:
        _use("sslrootcert", lambda: context.load_verify_locations(cafile=root))
    elif mode != "require":
        raise ValueError(f"sslmode={mode} needs sslrootcert: a file, or system with verify-full")
    else:
        context.verify_mode = ssl.CERT_NONE
    crl, folder = given.get("sslcrl"), given.get("sslcrldir")
    if not folder:
        crl = crl or _default("root.crl")
    if crl:
        _use("sslcrl", lambda: context.load_verify_locations(cafile=crl))
    if folder:
        _use("sslcrldir", lambda: next(Path(folder).iterdir(), None))
        _use("sslcrldir", lambda: context.load_verify_locations(capath=folder))
    if crl or folder:
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN


def _identify(context: ssl.SSLContext, given: Mapping[str, str]) -> None:
    certificate = given.get("sslcert") or _default("postgresql.crt")
    if not certificate:
        return
    key = given.get("sslkey") or _default("postgresql.key")
    password = given.get("sslpassword", "")
    for name, file in (("sslcert", certificate), ("sslkey", key)):
        if file:
            _use(name, Path(file).read_bytes)
    try:
        context.load_cert_chain(certificate, key, lambda: password)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "they are not readable"
        raise ValueError(f"sslcert, sslkey and sslpassword do not match: {reason}") from None
