"""The OpenAPI document has what clients of these routes need."""

from typing import Any

import pytest
from fastapi import FastAPI

from tests.support.accounts import AUTH


def operation(app: FastAPI, path: str) -> dict[str, Any]:
    """Return the documentation of a route."""
    found: dict[str, Any] = app.openapi()["paths"][f"{AUTH}{path}"]["post"]
    return found


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/login", "403", "EMAIL_NOT_VERIFIED"),
        ("/token", "403", "EMAIL_NOT_VERIFIED"),
        ("/verify-email", "422", "INVALID_TOKEN"),
        ("/reset-password", "422", "INVALID_TOKEN"),
        ("/change-email", "403", "FORBIDDEN"),
    ],
)
async def test_error_codes_are_documented(app: FastAPI, path: str, status: str, code: str) -> None:
    [content] = operation(app, path)["responses"][status]["content"].values()
    assert f"'{code}'" in str(content["example"])


async def test_documented_token_of_resending_is_optional(app: FastAPI) -> None:
    [required, none] = operation(app, "/verify-email/resend")["security"]
    assert [required] == operation(app, "/change-email")["security"]
    assert none == {}
