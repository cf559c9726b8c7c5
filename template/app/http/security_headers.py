"""Response headers that tell browsers and caches what they must not do."""

DEFAULTS = {
    # Responses contain data of users.
    b"cache-control": b"no-store",
    # Neither a page in a frame nor anything that it would load.
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}
# For a year, browsers use HTTPS only (RFC 6797).
HTTPS_ONLY = DEFAULTS | {b"strict-transport-security": b"max-age=31536000"}


def security_headers(present: dict[bytes, bytes], *, https_only: bool) -> list[tuple[bytes, bytes]]:
    """Return the headers that a response does not have yet; files may be cached."""
    if b"last-modified" in present:
        present = {**present, b"cache-control": b""}
    wanted = HTTPS_ONLY if https_only else DEFAULTS
    return [item for item in wanted.items() if item[0] not in present]
