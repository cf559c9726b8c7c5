"""The body of error responses: problem details (RFC 9457)."""

from datetime import UTC, datetime
from http.client import responses as phrases
from typing import Any

from pydantic import MISSING, BaseModel, Field

MEDIA_TYPE = "application/problem+json"
EXAMPLE_TIME = datetime(2030, 1, 31, 12, tzinfo=UTC)


class ErrorBody(BaseModel):
    """Problem details (RFC 9457), with a code for programs and the invalid fields."""

    type: str = Field(description="Always `about:blank`: the status says what the problem is.")
    title: str = Field(description="Phrase of the HTTP status.")
    status: int = Field(description="HTTP status code.")
    detail: str = Field(description="What is wrong, for people.")
    error_code: str = Field(description="Code of the error, for programs.")
    timestamp: datetime = Field(description="When the error occurred.")
    errors: dict[str, str] | MISSING = Field(
        default=MISSING, description="Message for each invalid field."
    )


def error_body(
    status: int, code: str, detail: str, errors: dict[str, str] | None = None
) -> ErrorBody:
    """Return the body of an error response."""
    return ErrorBody(
        type="about:blank",
        title=phrases.get(status, "Unknown status"),
        status=status,
        detail=detail,
        error_code=code,
        timestamp=datetime.now(UTC),
        errors=MISSING if errors is None else errors,
    )


def error_example(status: int, code: str, detail: str) -> dict[str, Any]:
    """Return the OpenAPI example of an error."""
    body = error_body(status, code, detail).model_copy(update={"timestamp": EXAMPLE_TIME})
    return body.model_dump(mode="json")
