"""The body of every error: problem details (RFC 9457)."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

MEDIA_TYPE = "application/problem+json"
EXAMPLE_TIME = datetime(2030, 1, 31, 12, tzinfo=UTC)


class ErrorBody(BaseModel):
    """Problem details, with a code for programs and the fields that are wrong."""

    type: str
    title: str
    status: int
    detail: str
    error_code: str
    timestamp: datetime
    # Left out where no field is wrong, never null.
    errors: dict[str, str] | SkipJsonSchema[None] = Field(default_factory=lambda: None)


def error_body(
    status: HTTPStatus, code: str, detail: str, errors: dict[str, str] | None = None
) -> ErrorBody:
    """Build the body of an error response."""
    return ErrorBody(
        type="about:blank",
        title=status.phrase,
        status=status,
        detail=detail,
        error_code=code,
        timestamp=datetime.now(UTC),
        errors=errors,
    )


def error_example(status: HTTPStatus, code: str, detail: str) -> dict[str, Any]:
    """Build the example of an error for the documentation, the same each time."""
    body = error_body(status, code, detail).model_copy(update={"timestamp": EXAMPLE_TIME})
    return body.model_dump(mode="json", exclude_none=True)
