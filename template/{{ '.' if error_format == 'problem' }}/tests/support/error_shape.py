"""The shape of all errors: problem details (RFC 9457)."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from httpx import Response

MEMBERS = {"type", "title", "status", "detail", "error_code", "timestamp"}


def error_of(response: Response, status: int, code: str) -> dict[str, str]:
    """Check the complete shape of an error; return its messages by field."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    errors: dict[str, str] = body.pop("errors", {})
    assert set(body) == MEMBERS
    assert body["type"] == "about:blank"
    assert body["title"] == HTTPStatus(status).phrase
    assert body["status"] == status
    assert body["detail"]
    assert body["error_code"] == code
    assert datetime.now(UTC) - datetime.fromisoformat(body["timestamp"]) < timedelta(minutes=1)
    return errors
