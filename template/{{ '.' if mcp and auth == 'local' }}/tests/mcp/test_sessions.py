"""Agents whose user has logged out."""

from httpx import AsyncClient
from sqlalchemy import delete

from app.db.database import Database
from app.mcp.routes import METADATA_PATH
from app.models.session import Session
from tests.mcp.agents import message, post
from tests.support.error_shape import error_of
from tests.support.users import UserClient


async def test_token_of_an_ended_session(alice: UserClient, database: Database) -> None:
    assert (await post(alice, message("tools/list"))).status_code == 200
    await database.execute(delete(Session.__table__))
    for method in ("tools/list", "initialize", "tools/call"):
        response = await post(alice, message(method))
        error_of(response, 401, "UNAUTHORIZED")
        challenge = response.headers["WWW-Authenticate"]
        assert challenge.startswith('Bearer error="invalid_token"')
        assert METADATA_PATH in challenge


async def test_metadata_names_no_authorization_server(client: AsyncClient) -> None:
    assert "authorization_servers" not in (await client.get(METADATA_PATH)).json()
