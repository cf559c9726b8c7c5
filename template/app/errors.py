"""What can go wrong, and the one place that turns it into a response."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from app.error_body import MEDIA_TYPE, ErrorBody, error_body, error_example

MAX_ECHOED_CHARACTERS = 100
MAX_FIELD_ERRORS = 100

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


class BadRequest(ApiError):
    status = HTTPStatus.BAD_REQUEST
    code = "BAD_REQUEST"
    default_detail = "The request cannot be answered."


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
            example = error_example(error.status, error.code, error.default_detail)
            documented[int(error.status)] = {
                "model": ErrorBody,
                "description": error.status.phrase,
                "content": {"application/json": {"example": example}},
            }
    return documented


def _response(
    status: HTTPStatus,
    code: str,
    detail: str,
    errors: dict[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    body = error_body(status, code, detail, errors)
    content = body.model_dump_json(exclude_none=True)
    return Response(content, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def error_response(error: ApiError) -> Response:
    """Render an error in the format of this API."""
    return _response(error.status, error.code, str(error), error.errors, error.headers)


def _readable(text: str) -> str:
    """Cut a client's text to a size and an encoding that can be echoed."""
    return text[:MAX_ECHOED_CHARACTERS].encode(errors="replace").decode()


def _field_errors(error: RequestValidationError) -> dict[str, str]:
    """Map each field to its first message; items of arrays as `field.0`."""
    messages: dict[str, str] = {}
    for item in error.errors()[:MAX_FIELD_ERRORS]:
        location = [str(part) for part in item["loc"]]
        # The first part says where the value came from, which only the body as a whole needs.
        name = "body" if item["type"] == "json_invalid" else ".".join(location[1:] or location)
        messages.setdefault(_readable(name), _readable(item["msg"]))
    return messages


def _allowed_methods(request: Request) -> set[str]:
    """Return the methods of a path; the framework knows only those of the first route that fits.

    Routes with fewer parameters win: `stats`, where an id could be, is none.
    """
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    found: dict[int, set[str]] = {}
    for route in iter_route_contexts(request.app.routes):
        if route.path_regex.match(path):
            found.setdefault(len(route.param_convertors), set()).update(route.methods or ())
    # No route, but an app that is mounted: files, which can only be read.
    allowed = found[min(found)] if found else {"GET"}
    return allowed | {"HEAD"} if "GET" in allowed else allowed


def _method_not_allowed(allowed: set[str]) -> Response:
    status = HTTPStatus.METHOD_NOT_ALLOWED
    headers = {"Allow": ", ".join(sorted(allowed))}
    return _response(status, status.name, status.phrase, headers=headers)


async def handle_api_error(_request: Request, error: ApiError) -> Response:
    """Render an error that the app raised."""
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("%s %r", error, error.__cause__)
    return error_response(error)


async def handle_invalid_request(request: Request, error: RequestValidationError) -> Response:
    """Render what the schemas refuse."""
    if any(item["loc"][0] == "path" for item in error.errors()):
        allowed = _allowed_methods(request)
        if request.method not in allowed:
            return _method_not_allowed(allowed)
    return error_response(ValidationFailed(errors=_field_errors(error)))


async def handle_http_exception(request: Request, error: HTTPException) -> Response:
    """Render what the framework raises itself: unknown routes, methods, unreadable bodies."""
    status = HTTPStatus(error.status_code)
    if status == HTTPStatus.BAD_REQUEST:
        return error_response(ValidationFailed(error.detail))
    if status == PayloadTooLarge.status:
        return error_response(PayloadTooLarge())
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return _method_not_allowed(_allowed_methods(request))
    return _response(status, status.name, error.detail, headers=error.headers)


def install_error_handlers(app: FastAPI) -> None:
    """Make every error of the app answer in the one format."""
    app.exception_handler(ApiError)(handle_api_error)
    app.exception_handler(RequestValidationError)(handle_invalid_request)
    app.exception_handler(HTTPException)(handle_http_exception)
