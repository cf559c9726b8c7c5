"""The body of every error: an envelope with a code, a message and details."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

MEDIA_TYPE = "application/json"


class ErrorContent(BaseModel):
    """A code for programs, a message for people, and the fields that are wrong."""

    code: str
    message: str
    # Left out where no field is wrong, never null.
    details: dict[str, str] | SkipJsonSchema[None] = Field(default_factory=lambda: None)


class ErrorBody(BaseModel):
    """The envelope around an error."""

    error: ErrorContent


def error_body(
    _status: HTTPStatus, code: str, detail: str, errors: dict[str, str] | None = None
) -> ErrorBody:
    """Build the body of an error response."""
    return ErrorBody(error=ErrorContent(code=code, message=detail, details=errors))


def error_example(status: HTTPStatus, code: str, detail: str) -> dict[str, Any]:
    """Build the example of an error for the documentation, the same each time."""
    return error_body(status, code, detail).model_dump(mode="json", exclude_none=True)
