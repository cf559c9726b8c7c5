"""A proxy to the database's server, which can fall silent as a network does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import make_url


class Proxy:
    """Connections that go on, and carry nothing while they are silent."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._speaking = asyncio.Event()
        self._speaking.set()
        self._forgotten: set[asyncio.Task[None]] = set()
        self._ways: set[asyncio.Task[None]] = set()

    def fall_silent(self) -> None:
        """Carry nothing any more, on connections old and new."""
        self._speaking.clear()

    def speak(self) -> None:
        """Go on."""
        self._speaking.set()

    def forget(self) -> None:
        """Carry nothing for the connections that are open now, as a firewall does for idle ones."""
        self._forgotten |= self._ways

    async def carry(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        """Connect a client with the server."""
        server, requests = await asyncio.open_connection(*self._server)
        both = [(client, requests), (server, answers)]
        ways = [asyncio.create_task(self._copy(*way)) for way in both]
        self._ways.update(ways)
        await asyncio.wait(ways)
        self._ways.difference_update(ways)

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                await self._speaking.wait()
                if asyncio.current_task() not in self._forgotten:
                    target.write(data)
        except OSError:
            pass
        finally:
            target.close()

    async def end(self) -> None:
        """End what is open."""
        ways = list(self._ways)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


@asynccontextmanager
async def proxy_to(url: str) -> AsyncIterator[tuple[Proxy, str]]:
    """Give a proxy to a database, and the URL that leads through it."""
    parsed = make_url(url)
    proxy = Proxy(parsed.host or "127.0.0.1", parsed.port or 5432)
    server = await asyncio.start_server(proxy.carry, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    through = parsed.set(host="127.0.0.1", port=port)
    try:
        yield proxy, through.render_as_string(hide_password=False)
    finally:
        server.close()
        await proxy.end()
