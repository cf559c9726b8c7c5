"""Tools made from the operations of a resource."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi.exceptions import RequestValidationError
from mcp import types
from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic_core import to_jsonable_python

from app.mcp.json_schemas import Json, arguments_schema, page_schema, result_schema, row_schema
from app.schemas.types import BodyId, Id

if TYPE_CHECKING:
    from app.db.scope import Scope

ModelT = TypeVar("ModelT", bound=BaseModel)

READS = types.ToolAnnotations(read_only_hint=True, open_world_hint=False)
CREATES = types.ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
)
# Old values are lost.
OVERWRITES = types.ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
)
COMPLETES = types.ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)

DELETED: Json = {
    "type": "object",
    "properties": {"deleted": {"type": "boolean", "description": "Always true."}},
    "required": ["deleted"],
}


class NoArguments(BaseModel, extra="forbid"):
    """No arguments."""


class RowArguments(BaseModel, extra="forbid"):
    """The arguments of a tool that needs only a row."""

    id: BodyId = Field(description="Id of the row.")


@dataclass(frozen=True, slots=True)
class Tool:
    """An operation that agents can call: it takes and returns JSON."""

    definition: types.Tool
    call: Callable[["Scope", Json], Awaitable[Json]]


def validated(model: type[ModelT], arguments: Json) -> ModelT:
    """Validate arguments as the body of a request.

    Raises:
        RequestValidationError: they are invalid.
    """
    try:
        return model.model_validate(arguments)
    except ValidationError as error:
        raise RequestValidationError(
            [{**item, "loc": ("arguments", *item["loc"])} for item in error.errors()]
        ) from error


def _tool(
    name: str,
    description: str,
    annotations: types.ToolAnnotations,
    schemas: tuple[Json, Json],
    call: Callable[["Scope", Json], Awaitable[Any]],
) -> Tool:
    """Return a tool with the schemas of its arguments and its result."""

    async def call_with_json(scope: "Scope", arguments: Json) -> Json:
        result: Json = to_jsonable_python(await call(scope, arguments))
        return result

    input_schema, output_schema = schemas
    definition = types.Tool(
        name=name,
        description=description,
        input_schema=input_schema,
        output_schema=output_schema,
        annotations=annotations,
    )
    return Tool(definition, call_with_json)


@dataclass(frozen=True, slots=True)
class ResourceTools:
    """The tools of a resource. `shown` names the fields that lists show, so that they are short."""

    row: type[BaseModel]
    shown: tuple[str, ...]

    def list_rows(
        self,
        name: str,
        description: str,
        operation: Callable[["Scope", ModelT], Awaitable[Any]],
        query: type[ModelT],
        page: Any,
    ) -> Tool:
        """Return a tool that lists rows."""

        async def call(scope: "Scope", arguments: Json) -> Json:
            found = to_jsonable_python(await operation(scope, validated(query, arguments)))
            content = found if isinstance(found, dict) else {"items": found}
            items = [{name: row[name] for name in self.shown} for row in content["items"]]
            return {**content, "items": items}

        schemas = arguments_schema(query), page_schema(page, self.row, self.shown)
        return _tool(name, description, READS, schemas, call)

    def count_rows(
        self,
        name: str,
        description: str,
        operation: Callable[["Scope"], Awaitable[ModelT]],
        result: type[ModelT],
    ) -> Tool:
        """Return a tool that counts rows."""

        async def call(scope: "Scope", arguments: Json) -> ModelT:
            validated(NoArguments, arguments)
            return await operation(scope)

        schemas = arguments_schema(NoArguments), result_schema(result)
        return _tool(name, description, READS, schemas, call)

    def get_row(
        self,
        name: str,
        description: str,
        operation: Callable[["Scope", Id], Awaitable[BaseModel]],
    ) -> Tool:
        """Return a tool that reads a row."""

        async def call(scope: "Scope", arguments: Json) -> BaseModel:
            return await operation(scope, validated(RowArguments, arguments).id)

        schemas = arguments_schema(RowArguments), row_schema(self.row)
        return _tool(name, description, READS, schemas, call)

    def create_row(
        self,
        name: str,
        description: str,
        operation: Callable[["Scope", ModelT], Awaitable[BaseModel]],
        data: type[ModelT],
    ) -> Tool:
        """Return a tool that creates a row."""

        async def call(scope: "Scope", arguments: Json) -> BaseModel:
            return await operation(scope, validated(data, arguments))

        schemas = arguments_schema(data), row_schema(self.row)
        return _tool(name, description, CREATES, schemas, call)

    def update_row(
        self,
        name: str,
        description: str,
        operation: Callable[["Scope", Id, ModelT], Awaitable[BaseModel]],
        data: type[ModelT],
    ) -> Tool:
        """Return a tool that updates the fields of a row that are sent."""
        identified = create_model(
            data.__name__, __base__=data, id=(BodyId, RowArguments.model_fields["id"])
        )

        async def call(scope: "Scope", arguments: Json) -> BaseModel:
            # All at once, so that an error names all fields.
            validated(identified, arguments)
            changes = dict(arguments)
            row_id = RowArguments(id=changes.pop("id")).id
            return await operation(scope, row_id, data.model_validate(changes))

        schemas = arguments_schema(identified), row_schema(self.row)
        return _tool(name, description, OVERWRITES, schemas, call)

    def set_fields(
        self,
        name: str,
        description: str,
        operation: Callable[["Scope", Id, ModelT], Awaitable[BaseModel]],
        changes: ModelT,
    ) -> Tool:
        """Return a tool that gives fields of a row certain values."""

        async def call(scope: "Scope", arguments: Json) -> BaseModel:
            return await operation(scope, validated(RowArguments, arguments).id, changes)

        schemas = arguments_schema(RowArguments), row_schema(self.row)
        return _tool(name, description, COMPLETES, schemas, call)

    def delete_row(
        self,
        name: str,
        description: str,
        operation: Callable[["Scope", Id], Awaitable[None]],
    ) -> Tool:
        """Return a tool that deletes a row."""

        async def call(scope: "Scope", arguments: Json) -> Json:
            await operation(scope, validated(RowArguments, arguments).id)
            return {"deleted": True}

        schemas = arguments_schema(RowArguments), DELETED
        return _tool(name, description, OVERWRITES, schemas, call)
