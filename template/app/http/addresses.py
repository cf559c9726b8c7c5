"""Addresses of clients, as rate limits count them."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from limits import RateLimitItem

# Many users can share an address.
ADDRESS_FACTOR = 10


def by_address(limits: Iterable["RateLimitItem"]) -> list["RateLimitItem"]:
    """Return the limits of an address, from those of a user."""
    return [type(limit)(limit.amount * ADDRESS_FACTOR, limit.multiples) for limit in limits]


@lru_cache(1024)
def network_of(address: str) -> str:
    """Return the network that identifies a client: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), 64), strict=False))
