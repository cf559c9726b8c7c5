"""Response headers that tell browsers and caches what they must not do."""

from starlette.types import Message

DEFAULTS = {
    # Responses contain data of users.
    b"cache-control": b"no-store",
    # Neither a page in a frame nor anything that it would load.
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}
# For a year, browsers use HTTPS only (RFC 6797).
STRICT_TRANSPORT_SECURITY = (b"strict-transport-security", b"max-age=31536000")


def add_security_headers(start: Message, *, https_only: bool) -> None:
    """Add the headers that a response does not have; files may be cached."""
    headers: list[tuple[bytes, bytes]] = start["headers"]
    present = {name for name, _ in headers}
    if b"last-modified" in present:
        present.add(b"cache-control")
    headers.extend(item for item in DEFAULTS.items() if item[0] not in present)
    if https_only:
        headers.append(STRICT_TRANSPORT_SECURITY)
