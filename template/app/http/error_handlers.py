"""Exception handlers: every error response has the error format of this API."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from app.errors import ApiError, PayloadTooLarge, ValidationFailed
from app.http.error_responses import code_of, error_response, response
from app.state import get_state

MAX_ECHOED_CHARACTERS = 100
MAX_FIELD_ERRORS = 100
# The details of the framework's own errors; the app's routes raise others.
UNREADABLE_BODY = "There was an error parsing the body"
TOO_LARGE_BODY = "Content Too Large"

logger = logging.getLogger(__name__)


def _readable(text: str) -> str:
    """Truncate text from the client, and replace what UTF-8 cannot encode."""
    return text[:MAX_ECHOED_CHARACTERS].encode(errors="replace").decode()


def field_errors(error: RequestValidationError) -> dict[str, str]:
    """Map each field to its first message; items of arrays are named `field.0`."""
    messages: dict[str, str] = {}
    for item in error.errors()[:MAX_FIELD_ERRORS]:
        location = [str(part) for part in item["loc"]]
        # The first part says where the value came from, such as `body`.
        name = "body" if item["type"] == "json_invalid" else ".".join(location[1:] or location)
        messages.setdefault(_readable(name), _readable(item["msg"]))
    return messages


def _allowed_methods(request: Request) -> set[str]:
    """Return the methods of all routes with this path; Starlette only returns those of the first.

    Routes with fewer parameters have precedence: `stats` in the place of an id is not an id.
    """
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    found: dict[int, set[str]] = {}
    for route in iter_route_contexts(request.app.routes):
        if route.path_regex.match(path):
            found.setdefault(len(route.param_convertors), set()).update(route.methods or ())
    # A mounted app, not a route: static files.
    allowed = found[min(found)] if found else {"GET"}
    return allowed | {"HEAD"} if "GET" in allowed else allowed


def _method_not_allowed(allowed: set[str]) -> Response:
    status = HTTPStatus.METHOD_NOT_ALLOWED
    headers = {"Allow": ", ".join(sorted(allowed))}
    return response(status, status.name, status.phrase, headers=headers)


async def handle_api_error(_request: Request, error: ApiError) -> Response:
    """Return the response to an error that the app raised."""
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("%s %r", error, error.__cause__)
    return error_response(error)


async def handle_invalid_request(request: Request, error: RequestValidationError) -> Response:
    """Return the response to a request that fails validation, of a caller who is logged in."""
    if caller := getattr(request.state, "caller", None):
        try:
            await caller.check(get_state(request.app).database.execute)
        except ApiError as refusal:
            return await handle_api_error(request, refusal)
    if any(item["loc"][0] == "path" for item in error.errors()):
        allowed = _allowed_methods(request)
        if request.method not in allowed:
            return _method_not_allowed(allowed)
    return error_response(ValidationFailed(errors=field_errors(error)))


async def handle_http_exception(request: Request, error: HTTPException) -> Response:
    """Return the response to an error of the framework, such as an unknown route, or of a route."""
    # FastAPI accepts a detail of any type.
    status, detail = error.status_code, str(error.detail)
    if detail == UNREADABLE_BODY or isinstance(error.__context__, MultiPartException):
        return error_response(ValidationFailed(detail))
    if detail == TOO_LARGE_BODY:
        return error_response(PayloadTooLarge())
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return _method_not_allowed(_allowed_methods(request))
    return response(status, code_of(status), detail, headers=error.headers)


def install_error_handlers(app: FastAPI) -> None:
    """Register the exception handlers."""
    app.exception_handler(ApiError)(handle_api_error)
    app.exception_handler(RequestValidationError)(handle_invalid_request)
    app.exception_handler(HTTPException)(handle_http_exception)
