"""Access tokens of ended sessions: no route accepts them, whatever else is sent."""

import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import delete

from app.db.database import Database
from app.models.session import Session
from tests.support.accounts import bearer, log_in
from tests.support.cases import every_resource
from tests.support.resource import Resource
from tests.support.rows import full_body, listed, make
from tests.support.users import UserClient

QUERIES = ("", "?page=2", "?unknown=1")


def requests(
    app: FastAPI, user_id: str, row_id: object, bodies: list[Any]
) -> Iterator[tuple[str, str, Any]]:
    """Yield requests to all routes that require a token: the method, the path and the body."""
    for template, item in app.openapi()["paths"].items():
        path = re.sub(r"\{\w+\}", str(row_id), template.replace("{user_id}", user_id))
        for method, operation in item.items():
            # An empty requirement makes the token optional.
            if {} in operation.get("security", [{}]):
                continue
            if method in {"get", "delete"}:
                yield from ((method, path + query, None) for query in QUERIES)
            else:
                yield from ((method, path, body) for body in bodies)


@every_resource
async def test_no_route_accepts_them(
    app: FastAPI, client: AsyncClient, alice: UserClient, database: Database, resource: Resource
) -> None:
    row = await make(alice, resource)
    valid = await full_body(alice, resource, resource.rows - 1)
    bodies = [None, {}, {"unknown": 1}, valid, [valid], {f"{resource.name}_ids": [row["id"]]}]
    before = await listed(alice, resource.path)
    # Without rows, the session is looked up: it is still open.
    await alice.get(resource.absent)
    await database.execute(delete(Session.__table__))
    for user_id in (alice.user_id, "another"):
        for method, path, body in requests(app, user_id, row["id"], bodies):
            response = await alice.http.request(method, path, json=body)
            assert response.status_code == 401, (method, path, body, response.text)
            challenge = response.headers["WWW-Authenticate"]
            assert challenge.startswith('Bearer error="invalid_token"'), (method, path, body)
    tokens = (await log_in(client, "alice@example.com")).json()
    alice.http.headers.update(bearer(tokens["access_token"]))
    assert await listed(alice, resource.path) == before


async def test_the_log_does_not_name_their_user(
    alice: UserClient, database: Database, configure: Callable[..., io.StringIO]
) -> None:
    await database.execute(delete(Session.__table__))
    text = configure("json")
    assert (await alice.get("/auth/me")).status_code == 401
    lines = [json.loads(line) for line in text.getvalue().splitlines()]
    [record] = [line for line in lines if line["logger"] == "app.access"]
    assert record["route"].endswith("/auth/me")
    assert "user_id" not in record
