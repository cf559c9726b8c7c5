"""The OpenAPI document, with the error format of this API in place of FastAPI's."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from app.errors import RateLimited
from app.http.error_body import MEDIA_TYPE, ErrorBody, error_example
from app.http.etags import IF_MATCH, IF_NONE_MATCH, RowRoute, returns_row
from app.http.monitoring import MONITORING_PATHS
from app.http.query import QueryParameters
from app.state import get_state

ETAG = {"description": "Entity tag of the row.", "schema": {"type": "string"}}
NOT_MODIFIED = {"description": "The client has this row.", "headers": {"ETag": ETAG}}
CONDITIONS = {
    IF_MATCH: "`ETag` of the row as it was read: if it has changed, nothing is written.",
    IF_NONE_MATCH: "`ETag` of the row that the client has: if it is the same, it is not sent.",
}


def _correct(responses: dict[str, Any]) -> None:
    """Remove FastAPI's validation error, and set the media type of the errors of this API."""
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    for status, response in responses.items():
        if status >= "400" and "content" in response:
            response["content"] = {MEDIA_TYPE: response["content"]["application/json"]}


def _add_queries(app: FastAPI, document: dict[str, Any]) -> None:
    """Add the query parameters that `QueryParameters` reads."""
    for route in iter_route_contexts(app.routes):
        for dependency in route.dependant.dependencies if hasattr(route, "dependant") else ():
            if isinstance(dependency.call, QueryParameters):
                parameters, definitions = dependency.call.documentation()
                operation = document["paths"][route.path_format]["get"]
                operation.setdefault("parameters", []).extend(parameters)
                document["components"]["schemas"].update(definitions)


def _add_condition(operation: dict[str, Any], name: str) -> None:
    """Add the header of a conditional request."""
    parameter = {
        "name": name,
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
        "description": CONDITIONS[name],
    }
    operation.setdefault("parameters", []).append(parameter)


def _add_etags(app: FastAPI, document: dict[str, Any]) -> None:
    """Add the entity tags of responses, and the headers of conditional requests."""
    for route in iter_route_contexts(app.routes):
        original = route.original_route
        if not isinstance(original, RowRoute):
            continue
        for method in original.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            responses = operation["responses"]
            if "412" in responses:
                _add_condition(operation, IF_MATCH)
            if returns_row(original.response_model):
                response = responses[str(original.status_code or 200)]
                response.setdefault("headers", {})["ETag"] = ETAG
                if method == "GET":
                    responses["304"] = NOT_MODIFIED
                    _add_condition(operation, IF_NONE_MATCH)


def _add_rate_limit(document: dict[str, Any]) -> None:
    """Add the response to a request that the limit of requests rejects."""
    error = RateLimited
    content = {
        "schema": {"$ref": f"#/components/schemas/{ErrorBody.__name__}"},
        "example": error_example(error.status, error.code, error.default_detail),
    }
    rejected = {"description": error.status.phrase, "content": {MEDIA_TYPE: content}}
    for path, operations in document["paths"].items():
        if path not in MONITORING_PATHS:
            for operation in operations.values():
                operation["responses"].setdefault(str(int(error.status)), rejected)


def build_openapi(app: FastAPI) -> dict[str, Any]:
    """Return the document, which is built once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        _add_queries(app, document)
        _add_etags(app, document)
        for path in document["paths"].values():
            for operation in path.values():
                _correct(operation["responses"])
        if get_state(app).request_limits is not None:
            _add_rate_limit(document)
        for unused in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(unused, None)
        app.openapi_schema = document
    return app.openapi_schema
