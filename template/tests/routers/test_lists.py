"""What all lists of the API have in common."""

from fastapi import FastAPI

from app import API_PREFIX
from tests.support.people import Person


async def test_no_parameter_is_taken_twice(app: FastAPI, alice: Person) -> None:
    lists = {
        path: [each["name"] for each in operations["get"]["parameters"] if each["in"] == "query"]
        for path, operations in app.openapi()["paths"].items()
        if "sort" in str(operations.get("get", {}).get("parameters"))
    }
    assert lists
    for path, names in lists.items():
        url = path.removeprefix(API_PREFIX)
        for name in [*names, "Unknown"]:
            response = await alice.get(url, params=[(name, "x"), ("sort", "id"), (name, "y")])
            assert response.status_code == 422
            assert f'"{name}":"This parameter is sent more than once"' in response.text
