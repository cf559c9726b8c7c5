"""Decimal numbers that are sent as JSON numbers: kept as they are written, or refused."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from httpx import Response

from app.http.exact_json import ExactRequest
from tests.support.cases import each_value
from tests.support.people import Person
from tests.support.resource import Resource
from tests.support.rows import full_body, make

every_decimal = each_value(lambda resource: resource.decimals.items())


class ByNumber(Person):
    """A person whose texts that begin with # are sent as numbers."""

    @staticmethod
    def written(sent: Any) -> dict[str, Any]:
        """Return a body that holds numbers as they are written."""
        content = re.sub(r'"#([^"]*)"', r"\1", json.dumps(sent))
        return {"content": content, "headers": {"Content-Type": "application/json"}}

    async def post(self, path: str, **options: Any) -> Response:
        """Send POST."""
        return await super().post(path, **self.written(options["json"]))

    async def update(self, path: str, **options: Any) -> Response:
        """Send the verb of a partial update."""
        return await super().update(path, **self.written(options["json"]))


@pytest.fixture
async def carol(alice: Person) -> Person:
    """A user who sends numbers."""
    return ByNumber(alice.user_id, alice.http)


def forms(number: str) -> list[str]:
    """Return other ways to write a number."""
    longer = f"{number}0" if "." in number else f"{number}.0"
    return [number, longer, f"{longer}{'0' * 400}", f"{longer}E0", f"{longer}e-0"]


def finer(number: str) -> str:
    """Return a number that is nearly the same, with more places than any column has."""
    return f"{forms(number)[1]}{'0' * 20}1"


@every_decimal
async def test_numbers_are_kept(carol: Person, resource: Resource, name: str, value: str) -> None:
    row = await make(carol, resource, 0, **{name: f"#{value}"})
    path = resource.row(row)
    assert Decimal(row[name]) == Decimal(value)
    for text in forms(value):
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
    carol: Person, resource: Resource, name: str, value: str
) -> None:
    row = await make(carol, resource)
    for text in (finer(value), "1e999999", "9" * 400 + ".0"):
        sent = {name: f"#{text}"}
        answers = [await carol.update(resource.row(row), json=sent)]
        answers.append(await carol.post(resource.path, json=sent))
        if "bulk" in resource.operations:
            answers.append(await carol.post(f"{resource.path}/bulk", json=[sent]))
        for response in answers:
            assert response.status_code == 422
            assert re.search(rf'"(0\.)?{name}":"Decimal', response.text)
    assert (await carol.get(resource.row(row))).json() == row


async def test_other_numbers_are_what_they_always_are() -> None:
    text = '{"a": [1.50, -0.0, 1e400, 0.1000000000000000055], "b": NaN, "c": 7, "d": 1e2}'

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": text.encode(), "more_body": False}

    read = await ExactRequest({"type": "http", "headers": []}, receive).json()
    assert json.dumps(read) == json.dumps(json.loads(text))
    assert all(isinstance(number, float) for number in [*read["a"], read["d"]])
