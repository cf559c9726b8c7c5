"""The query of a request, read in one validation."""

from typing import Any, Generic, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

T = TypeVar("T", bound=BaseModel)

REPEATED = "This parameter is sent more than once"


class QueryParameters(Generic[T]):
    """A dependency that reads the query parameters of a request into a model.

    FastAPI would take each field apart, sent or not; the model alone takes a tenth of the time.
    """

    def __init__(self, model: type[T]) -> None:
        self.model = model

    async def __call__(self, request: Request) -> T:
        """Return the query.

        Raises:
            RequestValidationError: a parameter is invalid, unknown, or sent more than once.
        """
        query = dict(request.query_params)
        sent = request.query_params.multi_items()
        if len(sent) != len(query):
            names = [name for name, _ in sent]
            repeated = [name for name in query if names.count(name) > 1]
            raise RequestValidationError(
                [{"type": "repeated", "loc": ("query", name), "msg": REPEATED} for name in repeated]
            )
        try:
            return self.model.model_validate(query)
        except ValidationError as error:
            found = error.errors(include_url=False)
            raise RequestValidationError(
                [{**item, "loc": ("query", *item["loc"])} for item in found]
            ) from error

    def documentation(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return the OpenAPI documentation: the parameters, and the schemas that they refer to."""
        schema = self.model.model_json_schema(ref_template="#/components/schemas/{model}")
        required = schema.get("required", [])
        parameters = []
        for name, field in schema["properties"].items():
            description = self.model.model_fields[name].description
            if "$ref" in field:
                # The referenced schema has its own.
                del field["title"]
            parameters.append(
                {
                    "name": name,
                    "in": "query",
                    "required": name in required,
                    "schema": {**field, "description": description},
                    "description": description,
                }
            )
        return parameters, schema.get("$defs", {})
