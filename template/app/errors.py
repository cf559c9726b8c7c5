"""Errors that become responses, each with its status, code and default message."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar


class ApiError(Exception):
    """An error that becomes a response; subclasses set its status and code."""

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
    default_detail = "Bad request."


class ValidationFailed(ApiError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "VALIDATION_ERROR"
    default_detail = "The request is not valid."


class Unauthorized(ApiError):
    """No credentials or invalid ones, with a challenge (RFC 6750, section 3)."""

    status = HTTPStatus.UNAUTHORIZED
    code = "UNAUTHORIZED"
    default_detail = "Not authenticated."

    def __init__(self, detail: str | None = None, *, challenge: str = "Bearer") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class Forbidden(ApiError):
    status = HTTPStatus.FORBIDDEN
    code = "FORBIDDEN"
    default_detail = "You are not allowed to do this."


class NotFound(ApiError):
    status = HTTPStatus.NOT_FOUND
    code = "NOT_FOUND"
    default_detail = "Not found."


class Conflict(ApiError):
    status = HTTPStatus.CONFLICT
    code = "CONFLICT"
    default_detail = "Conflicts with existing data."


class PreconditionFailed(ApiError):
    status = HTTPStatus.PRECONDITION_FAILED
    code = "PRECONDITION_FAILED"
    default_detail = "The row has changed since it was read."


class PayloadTooLarge(ApiError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "PAYLOAD_TOO_LARGE"
    default_detail = "The request body is too large."


class UrlTooLong(ApiError):
    status = HTTPStatus.REQUEST_URI_TOO_LONG
    code = "URL_TOO_LONG"
    default_detail = "The URL is too long."


class HeadersTooLarge(ApiError):
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    code = "HEADERS_TOO_LARGE"
    default_detail = "The headers of the request are too large."


class RateLimited(ApiError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "RATE_LIMITED"
    default_detail = "Too many requests; try again later."

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(headers={"Retry-After": str(retry_after_seconds)})


class ServiceUnavailable(ApiError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "SERVICE_UNAVAILABLE"
    default_detail = "A required service is unavailable; try again later."

    def __init__(self, retry_after_seconds: int = 5) -> None:
        super().__init__(headers={"Retry-After": str(retry_after_seconds)})
