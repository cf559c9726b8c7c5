"""The shape of all errors: an envelope with a code, a message and details."""

from typing import Any

from httpx import Response


def error_of(response: Response, status: int, code: str) -> dict[str, str]:
    """Check the complete shape of an error; return its details by field."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/json"
    body: dict[str, Any] = response.json()
    assert set(body) == {"error"}
    details: dict[str, str] = body["error"].pop("details", {})
    assert set(body["error"]) == {"code", "message"}
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    return details
