"""Connections to one of several hosts of the database, and their socket options."""

import socket
from typing import Self

import asyncpg  # type: ignore[import-untyped]
import pytest

from app.db.url.hosts import connect, socket_options


def test_socket_options() -> None:
    alive = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    count = (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    assert socket_options({}) == ()
    assert socket_options({"keepalives": "1"}) == (alive,)
    assert socket_options({"keepalives_count": "3"}) == (alive, count)
    assert socket_options({"keepalives_count": "0"}) == (alive,)
    assert socket_options({"keepalives": "0", "keepalives_count": "3"}) == ()


class FakeConnection:
    """A fake connection to a host; the name of the host selects a failure or a kind of server."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.options: list[tuple[int, ...]] = []
        self.family = socket.AF_UNIX if host.startswith("/") else socket.AF_INET
        self._transport = self

    def get_extra_info(self, _name: str) -> Self:
        """Return the socket."""
        return self

    def setsockopt(self, *option: int) -> None:
        """Record an option."""
        self.options.append(option)


@pytest.fixture
def attempted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts to which a connection was attempted."""
    attempted: list[str] = []

    async def fake_connect(
        host: str, target_session_attrs: str, **_others: object
    ) -> FakeConnection:
        attempted.append(host)
        if host == "down":
            raise ConnectionRefusedError
        if host == "starting":
            raise asyncpg.CannotConnectNowError
        if host == "locked":
            raise asyncpg.InvalidPasswordError
        if host == "primary" and target_session_attrs == "standby":
            raise asyncpg.TargetServerAttributeNotMatched
        return FakeConnection(host)

    monkeypatch.setattr(asyncpg, "connect", fake_connect)
    return attempted


async def connect_to(*names: str, wanted: str = "any", shuffled: bool = False) -> FakeConnection:
    """Connect to one of several hosts."""
    connection: FakeConnection = await connect(
        hosts=tuple((name, 5432) for name in names),
        shuffled=shuffled,
        options=((1, 2, 3),),
        target_session_attrs=wanted,
    )
    return connection


@pytest.mark.parametrize(
    ("names", "wanted", "reached"),
    [
        (["one", "two"], "any", "one"),
        (["down", "two"], "any", "two"),
        (["starting", "down", "two"], "any", "two"),
        (["primary", "two"], "standby", "two"),
        (["primary", "two"], "prefer-standby", "two"),
        (["down", "primary"], "prefer-standby", "primary"),
    ],
)
async def test_first_matching_host(
    attempted: list[str], names: list[str], wanted: str, reached: str
) -> None:
    connection = await connect_to(*names, wanted=wanted)
    assert connection.host == reached
    assert connection.options == [(1, 2, 3)]


async def test_no_matching_host(attempted: list[str]) -> None:
    with pytest.raises(OSError, match="standby"):
        await connect_to("down", "primary", wanted="standby")
    with pytest.raises(ConnectionRefusedError):
        await connect_to("down", "down")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await connect_to("locked", "two")
    assert "two" not in attempted


async def test_hosts_are_shuffled(attempted: list[str]) -> None:
    names = [str(number) for number in range(9)]
    firsts = {(await connect_to(*names, shuffled=True)).host for _ in range(99)}
    assert len(firsts) > 1
    assert firsts <= set(names)


async def test_unix_sockets_have_no_tcp_options(attempted: list[str]) -> None:
    assert (await connect_to("/run/pg")).options == []
