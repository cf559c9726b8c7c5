"""Decimals that are sent as JSON numbers: stored exactly, or rejected."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from httpx import Response

from app.http.exact_json import ExactRequest
from tests.support.cases import each_value
from tests.support.resource import Resource
from tests.support.rows import full_body, make
from tests.support.users import UserClient

every_decimal = each_value(lambda resource: resource.decimals.items())


class NumberClient(UserClient):
    """Sends strings that start with # as numbers."""

    @staticmethod
    def with_numbers(sent: Any) -> dict[str, Any]:
        """Return the arguments of a request whose body contains the numbers."""
        content = re.sub(r'"#([^"]*)"', r"\1", json.dumps(sent))
        return {"content": content, "headers": {"Content-Type": "application/json"}}

    async def post(self, path: str, **options: Any) -> Response:
        """Send POST."""
        return await super().post(path, **self.with_numbers(options["json"]))

    async def update(self, path: str, **options: Any) -> Response:
        """Send a partial update."""
        return await super().update(path, **self.with_numbers(options["json"]))


@pytest.fixture
async def carol(alice: UserClient) -> UserClient:
    """A client that sends numbers."""
    return NumberClient(alice.user_id, alice.http)


def spellings(number: str) -> list[str]:
    """Return different spellings of a number."""
    longer = f"{number}0" if "." in number else f"{number}.0"
    return [number, longer, f"{longer}{'0' * 400}", f"{longer}E0", f"{longer}e-0"]


def more_precise(number: str) -> str:
    """Return nearly the same number, with more decimal places than any column has."""
    return f"{spellings(number)[1]}{'0' * 20}1"


@every_decimal
async def test_numbers_are_stored_exactly(
    carol: UserClient, resource: Resource, name: str, value: str
) -> None:
    row = await make(carol, resource, 0, **{name: f"#{value}"})
    path = resource.row(row)
    assert Decimal(row[name]) == Decimal(value)
    for text in spellings(value):
        await carol.update(path, json={name: resource.body(0)[name]})
        response = await carol.update(path, json={name: f"#{text}"})
        assert response.status_code == 200, response.text
        assert response.json()[name] == row[name]
        assert (await carol.get(path)).json()[name] == row[name]
    await carol.delete(path)
    if "bulk" in resource.operations:
        sent = await full_body(carol, resource, 1 % resource.rows) | {name: f"#{value}"}
        response = await carol.post(f"{resource.path}/bulk", json=[sent])
        assert response.status_code == 201, response.text
        assert response.json()[0][name] == row[name]


@every_decimal
async def test_numbers_are_not_rounded(
    carol: UserClient, resource: Resource, name: str, value: str
) -> None:
    row = await make(carol, resource)
    for text in (more_precise(value), "1e999999", "9" * 400 + ".0"):
        sent = {name: f"#{text}"}
        responses = [await carol.update(resource.row(row), json=sent)]
        responses.append(await carol.post(resource.path, json=sent))
        if "bulk" in resource.operations:
            responses.append(await carol.post(f"{resource.path}/bulk", json=[sent]))
        for response in responses:
            assert response.status_code == 422
            assert re.search(rf'"(0\.)?{name}":"Decimal', response.text)
    assert (await carol.get(resource.row(row))).json() == row


async def test_other_numbers_are_parsed_as_usual() -> None:
    text = '{"a": [1.50, -0.0, 1e400, 0.1000000000000000055], "b": NaN, "c": 7, "d": 1e2}'

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": text.encode(), "more_body": False}

    read = await ExactRequest({"type": "http", "headers": []}, receive).json()
    assert json.dumps(read) == json.dumps(json.loads(text))
    assert all(isinstance(number, float) for number in [*read["a"], read["d"]])
