"""The OpenAPI document, with the error format of this API in place of FastAPI's."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.http.error_body import MEDIA_TYPE


def _correct(responses: dict[str, Any]) -> None:
    """Remove FastAPI's validation error, and set the media type of the errors of this API."""
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    for status, response in responses.items():
        if status >= "400" and "content" in response:
            response["content"] = {MEDIA_TYPE: response["content"]["application/json"]}


def build_openapi(app: FastAPI) -> dict[str, Any]:
    """Return the document, which is built once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        for path in document["paths"].values():
            for operation in path.values():
                _correct(operation["responses"])
        for unused in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(unused, None)
        app.openapi_schema = document
    return app.openapi_schema
