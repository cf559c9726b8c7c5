"""The body of error responses: an envelope with a code, a message and details."""

from typing import Any

from pydantic import MISSING, BaseModel, Field

MEDIA_TYPE = "application/json"


class ErrorContent(BaseModel):
    """Code and message of an error, and the invalid fields."""

    code: str = Field(description="Code of the error, for programs.")
    message: str = Field(description="What is wrong, for people.")
    details: dict[str, str] | MISSING = Field(
        default=MISSING, description="Message for each invalid field."
    )


class ErrorBody(BaseModel):
    """An error response."""

    error: ErrorContent = Field(
        description="Code and message of the error, and the invalid fields."
    )


def error_body(
    _status: int, code: str, detail: str, errors: dict[str, str] | None = None
) -> ErrorBody:
    """Return the body of an error response."""
    details = MISSING if errors is None else errors
    return ErrorBody(error=ErrorContent(code=code, message=detail, details=details))


def error_example(status: int, code: str, detail: str) -> dict[str, Any]:
    """Return the OpenAPI example of an error."""
    return error_body(status, code, detail).model_dump(mode="json")
