"""Connect to one of several hosts, with socket options, as libpq does."""

import random
import socket
from collections.abc import Iterator, Mapping
from typing import Any

import asyncpg  # type: ignore[import-untyped]

# Names, addresses or directories of sockets, with ports. An empty name is the driver's default.
Hosts = tuple[tuple[str, int], ...]
SocketOptions = tuple[tuple[int, int, int], ...]

# Parameters of libpq, and the names of the socket options, which depend on the system.
_TCP_OPTIONS = {
    "keepalives_idle": ("TCP_KEEPIDLE", "TCP_KEEPALIVE"),
    "keepalives_interval": ("TCP_KEEPINTVL",),
    "keepalives_count": ("TCP_KEEPCNT",),
    "tcp_user_timeout": ("TCP_USER_TIMEOUT",),
}


def _chosen(given: Mapping[str, str]) -> Iterator[tuple[str, int, int, int]]:
    alive = [name for name in given if name.startswith("keepalives")]
    if alive and int(given.get("keepalives", "1")):
        yield "keepalives", socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1
    else:
        given = {name: value for name, value in given.items() if name not in alive}
    for name, options in _TCP_OPTIONS.items():
        number = int(given.get(name, "0"))
        known = [getattr(socket, option) for option in options if hasattr(socket, option)]
        # Zero means the default of the system.
        if number > 0 and known:
            yield name, socket.IPPROTO_TCP, known[0], number


def socket_options(given: Mapping[str, str]) -> SocketOptions:
    """Return the socket options for parameters of libpq.

    Raises:
        ValueError: the system rejects one.
    """
    chosen = []
    with socket.socket() as probe:
        for name, *option in _chosen(given):
            try:
                probe.setsockopt(*option)
            except OSError:
                raise ValueError(f"{name} has a value that the system rejects") from None
            chosen.append((option[0], option[1], option[2]))
    return tuple(chosen)


async def connect(
    *,
    hosts: Hosts,
    shuffled: bool,
    options: SocketOptions,
    target_session_attrs: str,
    **arguments: Any,
) -> Any:
    """Connect to the first host that answers and has the wanted role; the timeout is for each host.

    Raises:
        OSError: no host does.
    """
    wanted = target_session_attrs
    failure: Exception | None = None
    for session in ("standby", "any") if wanted == "prefer-standby" else [wanted]:
        for host, port in random.sample(hosts, len(hosts)) if shuffled else hosts:
            try:
                connection = await asyncpg.connect(
                    host=host or None, port=port, target_session_attrs=session, **arguments
                )
            except (OSError, asyncpg.CannotConnectNowError) as error:
                failure = error
            except asyncpg.TargetServerAttributeNotMatched as error:
                failure = ConnectionError(f"No host is {wanted}")
                failure.__cause__ = error
            else:
                _tune(connection, options)
                return connection
    raise failure or ConnectionError("No host to connect to")


def _tune(connection: Any, options: SocketOptions) -> None:
    # The driver does not give access to its socket.
    transport = connection._transport  # noqa: SLF001
    connected = transport.get_extra_info("socket")
    if connected.family in {socket.AF_INET, socket.AF_INET6}:
        for option in options:
            connected.setsockopt(*option)
