"""What can go wrong, and the one place that turns it into a response."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.error_body import MEDIA_TYPE, ErrorBody, error_body

MAX_ECHOED_CHARACTERS = 100

logger = logging.getLogger(__name__)


class ApiError(Exception):
    """An error that the client is told about; subclasses set its status and code."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    code: ClassVar[str] = "INTERNAL_ERROR"
    default_detail: ClassVar[str] = "An unexpected error occurred."

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: dict[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.default_detail)
        self.errors = errors
        self.headers = headers


class HostNotAllowed(ApiError):
    status = HTTPStatus.BAD_REQUEST
    code = "BAD_REQUEST"
    default_detail = "This host is not served here."


class ValidationFailed(ApiError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "VALIDATION_ERROR"
    default_detail = "The request is not valid."


class Unauthorized(ApiError):
    """No credentials, or none that hold (RFC 6750, section 3)."""

    status = HTTPStatus.UNAUTHORIZED
    code = "UNAUTHORIZED"
    default_detail = "Not authenticated."

    def __init__(self, detail: str | None = None, *, challenge: str = "Bearer") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class Forbidden(ApiError):
    status = HTTPStatus.FORBIDDEN
    code = "FORBIDDEN"
    default_detail = "This belongs to another user."


class NotFound(ApiError):
    status = HTTPStatus.NOT_FOUND
    code = "NOT_FOUND"
    default_detail = "Not found."


class Conflict(ApiError):
    status = HTTPStatus.CONFLICT
    code = "CONFLICT"
    default_detail = "This clashes with what is stored."


class PayloadTooLarge(ApiError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "PAYLOAD_TOO_LARGE"
    default_detail = "The request body is too large."


class RateLimited(ApiError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "RATE_LIMITED"
    default_detail = "Too many attempts; try again later."

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(headers={"Retry-After": str(retry_after_seconds)})


class ServiceUnavailable(ApiError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "SERVICE_UNAVAILABLE"
    default_detail = "A service that this one needs does not answer; try again later."

    def __init__(self, retry_after_seconds: int = 5) -> None:
        super().__init__(headers={"Retry-After": str(retry_after_seconds)})


DOCUMENTED = (
    ValidationFailed,
    Unauthorized,
    Forbidden,
    NotFound,
    Conflict,
    PayloadTooLarge,
    RateLimited,
    ServiceUnavailable,
)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe error statuses for OpenAPI, each with an example in the format of this API."""
    documented: dict[int | str, dict[str, Any]] = {}
    for error in DOCUMENTED:
        if error.status in statuses:
            body = error_body(error.status, error.code, error.default_detail)
            example = body.model_dump(mode="json", exclude_none=True)
            documented[int(error.status)] = {
                "model": ErrorBody,
                "description": error.status.phrase,
                "content": {"application/json": {"example": example}},
            }
    return documented


def error_response(error: ApiError) -> Response:
    """Render an error in the format of this API."""
    body = error_body(error.status, error.code, str(error), error.errors)
    return Response(
        body.model_dump_json(exclude_none=True),
        status_code=error.status,
        headers=error.headers,
        media_type=MEDIA_TYPE,
    )


def _readable(text: str) -> str:
    """Cut a client's text to a size and an encoding that can be echoed."""
    return text[:MAX_ECHOED_CHARACTERS].encode(errors="replace").decode()


def _field_errors(error: RequestValidationError) -> dict[str, str]:
    """Map each field to its first message; items of arrays as `field.0`."""
    messages: dict[str, str] = {}
    for item in error.errors():
        location = [str(part) for part in item["loc"]]
        # The first part says where the value came from, which only the body as a whole needs.
        name = "body" if item["type"] == "json_invalid" else ".".join(location[1:] or location)
        messages.setdefault(_readable(name), _readable(item["msg"]))
    return messages


async def handle_api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error_response(error)


async def handle_invalid_request(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return error_response(ValidationFailed(errors=_field_errors(error)))


async def handle_http_exception(_request: Request, error: Exception) -> Response:
    """Render what the framework raises itself: unknown routes, methods, unreadable bodies."""
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return error_response(ValidationFailed(str(error.detail)))
    status = HTTPStatus(error.status_code)
    code = PayloadTooLarge.code if status == PayloadTooLarge.status else status.name
    return Response(
        error_body(status, code, str(error.detail)).model_dump_json(exclude_none=True),
        status_code=status,
        headers=error.headers,
        media_type=MEDIA_TYPE,
    )


def install_error_handlers(app: FastAPI) -> None:
    """Make every error of the app answer in the one format."""
    app.add_exception_handler(ApiError, handle_api_error)
    app.add_exception_handler(RequestValidationError, handle_invalid_request)
    app.add_exception_handler(HTTPException, handle_http_exception)
