"""A TCP proxy to the database server, which can stop forwarding like a broken network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import make_url


class Proxy:
    """Forwards connections; they stay open while it is paused."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._forwarding = asyncio.Event()
        self._forwarding.set()
        self._dropped: set[asyncio.Task[None]] = set()
        self._copies: set[asyncio.Task[None]] = set()

    def pause(self) -> None:
        """Stop forwarding, on open and on new connections."""
        self._forwarding.clear()

    def resume(self) -> None:
        """Forward again."""
        self._forwarding.set()

    def drop_connections(self) -> None:
        """Stop forwarding on the open connections for good, as a firewall does on idle ones."""
        self._dropped |= self._copies

    async def handle(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """Connect a client to the server."""
        server, to_server = await asyncio.open_connection(*self._server)
        both = [(client, to_server), (server, to_client)]
        copies = [asyncio.create_task(self._copy(*pair)) for pair in both]
        self._copies.update(copies)
        await asyncio.wait(copies)
        self._copies.difference_update(copies)

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                await self._forwarding.wait()
                if asyncio.current_task() not in self._dropped:
                    target.write(data)
        except OSError:
            pass
        finally:
            target.close()

    async def close_connections(self) -> None:
        """Close all connections."""
        copies = list(self._copies)
        for copy in copies:
            copy.cancel()
        await asyncio.gather(*copies, return_exceptions=True)


@asynccontextmanager
async def open_proxy(url: str) -> AsyncIterator[tuple[Proxy, str]]:
    """Yield a proxy to a database server, and the URL of the database through the proxy."""
    parsed = make_url(url)
    proxy = Proxy(parsed.host or "127.0.0.1", parsed.port or 5432)
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    through = parsed.set(host="127.0.0.1", port=port)
    try:
        yield proxy, through.render_as_string(hide_password=False)
    finally:
        server.close()
        await proxy.close_connections()
