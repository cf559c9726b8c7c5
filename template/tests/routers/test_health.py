"""The routes that machines ask: is the service there, and can it work?"""

import asyncio
import socket
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from tests.support.error_shape import error_of
from tests.support.probe import open_client


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probed:
        probed.bind(("127.0.0.1", 0))
        port: int = probed.getsockname()[1]
    return port


async def test_root(client: AsyncClient, app: FastAPI) -> None:
    response = await client.get("/")
    assert response.status_code == 200
    assert app.title in response.json()["message"]


async def test_health(client: AsyncClient) -> None:
    response = await client.get("/health")
    assert response.status_code == 200
    assert response.json() == {"status": "healthy"}


async def test_ready(client: AsyncClient) -> None:
    response = await client.get("/ready")
    assert response.status_code == 200
    assert response.json() == {"status": "ready"}


async def check_not_ready(app: FastAPI, url: str) -> None:
    """Expect an app that lives, but cannot work with its database."""
    async with open_client(app, database_url=url) as client:
        assert (await client.get("/health")).status_code == 200
        response = await client.get("/ready")
    error_of(response, 503, "SERVICE_UNAVAILABLE")
    assert int(response.headers["Retry-After"]) > 0


async def test_not_ready_while_the_server_is_down(
    app: FastAPI, unused_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"postgresql://somebody:s3cret@127.0.0.1:{unused_port}/nothing"
    await check_not_ready(app, url)
    assert "ConnectionRefusedError" in caplog.text
    assert "s3cret" not in caplog.text


async def test_not_ready_while_the_file_cannot_be_opened(app: FastAPI, tmp_path: Path) -> None:
    await check_not_ready(app, f"sqlite:///{tmp_path}/no/such/folder/a.db")


async def test_not_ready_while_the_server_is_silent(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    monkeypatch.setattr("app.db.database.ANSWER_TIMEOUT_SECONDS", 0.1)
    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await check_not_ready(app, f"postgresql://127.0.0.1:{port}/nothing?sslmode=disable")
