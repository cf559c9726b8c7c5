"""The issuer of tokens in the metadata of the resource."""

from fastapi import FastAPI

from app.mcp.routes import METADATA_PATH
from tests.support.probe import open_client

ISSUER = "https://issuer.example.com"


async def test_metadata_names_the_issuer(app: FastAPI) -> None:
    async with open_client(app, jwt_issuer=ISSUER) as client:
        metadata = (await client.get(METADATA_PATH)).json()
    # Compared with what the issuer says about itself, character by character.
    assert metadata["authorization_servers"] == [ISSUER]


async def test_tokens_need_not_name_an_issuer(app: FastAPI) -> None:
    async with open_client(app, jwt_issuer=None) as client:
        assert "authorization_servers" not in (await client.get(METADATA_PATH)).json()
