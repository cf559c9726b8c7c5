"""Web origins and host names as settings take them: made the way browsers and servers compare them."""

import re
from ipaddress import IPv6Address

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
# Underscores occur in internal names. Browsers send other letters than these as `xn--…`.
HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_PORT = 65535
ORIGIN_FORM = "takes origins such as https://app.example.com or http://localhost:3000, or *"
HOST_FORM = "takes host names such as api.example.com or *.example.com, or *"


def _host(text: str) -> str:
    """Return a host name or address in the one form that is compared.

    Raises:
        ValueError: it is none.
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
    """Return an origin as browsers send it: lower case, with neither a slash nor a default port.

    Raises:
        ValueError: browsers send none like it.
    """
    if text == "*":
        return text
    try:
        return _origin(text)
    except ValueError:
        raise ValueError(ORIGIN_FORM) from None


def checked_host(text: str) -> str:
    """Return a host name as requests are compared with: lower case, with no scheme and no port.

    Raises:
        ValueError: it is neither a host name nor a pattern for the subdomains of one.
    """
    if text == "*":
        return text
    try:
        # The scheme and the port say nothing about the name; a path would.
        name = re.sub(r"^https?://", "", text, flags=re.IGNORECASE).removesuffix("/")
        name, _ = _split_port(name)
        return f"*.{_host(name[2:])}" if name.startswith("*.") else _host(name)
    except ValueError:
        raise ValueError(HOST_FORM) from None
