"""Error responses, and their OpenAPI documentation."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Response

from app.errors import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    PayloadTooLarge,
    PreconditionFailed,
    RateLimited,
    ServiceUnavailable,
    Unauthorized,
    ValidationFailed,
)
from app.http.error_body import MEDIA_TYPE, ErrorBody, error_body, error_example

DOCUMENTED = (
    ValidationFailed,
    Unauthorized,
    Forbidden,
    NotFound,
    Conflict,
    PreconditionFailed,
    PayloadTooLarge,
    RateLimited,
    ServiceUnavailable,
)
CODES = {int(error.status): error.code for error in (*DOCUMENTED, BadRequest, ApiError)}


def responses(*expected: int | type[ApiError]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI documentation of errors, for `responses` of a route.

    An error is named by its status, or by its class if it has a code of its own.
    """
    documented: dict[int | str, dict[str, Any]] = {}
    named = [error for error in expected if not isinstance(error, int)]
    known: list[type[ApiError]] = [*DOCUMENTED, *named]
    for error in known:
        if error in named or error.status in expected:
            example = error_example(error.status, error.code, error.default_detail)
            documented[int(error.status)] = {
                "model": ErrorBody,
                "description": error.status.phrase,
                "content": {"application/json": {"example": example}},
            }
    return documented


def code_of(status: int) -> str:
    """Return the code of a status: that of an error in `app/errors.py`, else the status's name."""
    if status in CODES:
        return CODES[status]
    try:
        return HTTPStatus(status).name
    except ValueError:
        return f"HTTP_{status}"


def response(
    status: int,
    code: str,
    detail: str,
    errors: dict[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an error response in the error format of this API."""
    body = error_body(status, code, detail, errors)
    content = body.model_dump_json()
    return Response(content, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def error_response(error: ApiError) -> Response:
    """Return the response to an error."""
    return response(error.status, error.code, str(error), error.errors, error.headers)
