"""Validation of the origins and host names in the settings."""

import re
from ipaddress import IPv6Address

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
# Internal names may contain underscores. Browsers send other letters than these as `xn--…`.
HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_PORT = 65535
ORIGIN_FORM = "must be origins such as https://app.example.com or http://localhost:3000, or *"
HOST_FORM = "must be host names such as api.example.com or *.example.com, or *"


def _host(text: str) -> str:
    """Normalize a host name or IP address.

    Raises:
        ValueError: it is invalid.
    """
    name = text.lower()
    if re.fullmatch(r"\[[0-9a-f:.]+\]", name):
        return f"[{IPv6Address(name[1:-1])}]"
    if not HOST.fullmatch(name):
        raise ValueError(text)
    return name


def _origin(text: str) -> str:
    scheme, separator, authority = text.removesuffix("/").partition("://")
    scheme = scheme.lower()
    if not separator or not SCHEME.fullmatch(scheme):
        raise ValueError(text)
    name, port = _split_port(authority)
    shown = "" if port in {None, DEFAULT_PORTS.get(scheme)} else f":{port}"
    return f"{scheme}://{_host(name)}{shown}"


def _split_port(authority: str) -> tuple[str, int | None]:
    name, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        return authority, None
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > MAX_PORT:
        raise ValueError(authority)
    return name, int(port)


def checked_origin(text: str) -> str:
    """Normalize an origin as browsers do: lower case, without a slash or the default port.

    Raises:
        ValueError: it is not an origin.
    """
    if text == "*":
        return text
    try:
        return _origin(text)
    except ValueError:
        raise ValueError(ORIGIN_FORM) from None


def checked_host(text: str) -> str:
    """Normalize a host name, or a pattern for subdomains: lower case, without scheme and port.

    Raises:
        ValueError: it is neither.
    """
    if text == "*":
        return text
    try:
        # A scheme or port can be ignored; a path cannot.
        name = re.sub(r"^https?://", "", text, flags=re.IGNORECASE).removesuffix("/")
        name, _ = _split_port(name)
        return f"*.{_host(name[2:])}" if name.startswith("*.") else _host(name)
    except ValueError:
        raise ValueError(HOST_FORM) from None
