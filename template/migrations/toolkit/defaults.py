"""The values of existing rows in a column that is added or becomes required."""

import importlib
from collections.abc import Iterator
from enum import Enum
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlmodel import SQLModel

from migrations.toolkit import values

# The values of a required column that a downgrade adds again.
ZEROS: dict[str, Any] = {
    "string": "",
    "boolean": False,
    "float": 0,
    "decimal": 0,
    "integer": 0,
    "datetime": values.NOW,
    "date": "1970-01-01",
    "uuid": "00000000-0000-0000-0000-000000000000",
    "json": [],
}


def _models(base: type[SQLModel] = SQLModel) -> Iterator[type[SQLModel]]:
    for model in base.__subclasses__():
        yield model
        yield from _models(model)


def default(table: str, column: sa.Column[Any]) -> Any:
    """Return the default that the schemas or the model give a field, as JSON."""
    if column.server_default is not None or column.computed is not None:
        return None
    if column.default is not None and column.default.is_callable:
        return values.NOW if values.kind(column.type) == "datetime" else None
    found = _schema_default(table, column.name)
    if found is None and isinstance(column.default, sa.ColumnDefault) and column.default.is_scalar:
        found = column.default.arg
    if isinstance(found, Enum) and isinstance(column.type, sa.Enum):
        # Stored by its name, unless the type says otherwise.
        return column.type.enums[list(type(found)).index(found)]
    return TypeAdapter(Any).dump_python(found, mode="json")


def _schema_default(table: str, name: str) -> Any:
    for model in _models():
        if getattr(model, "__tablename__", None) == table and hasattr(model, "__table__"):
            schema = _create_schema(model)
            field = schema.model_fields.get(name) if schema else None
            if field is not None and not field.is_required():
                return field.get_default(call_default_factory=True)
    return None


def _create_schema(model: type[SQLModel]) -> Any:
    """Return the schema of new rows; tables that clients do not write have none."""
    name = model.__module__.replace(".models.", ".schemas.")
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None
    return getattr(module, f"{model.__name__}Create", None)


def zero(column: sa.Column[Any]) -> Any:
    """Return the value of existing rows in a required column that a downgrade adds again."""
    return None if column.nullable else ZEROS.get(values.kind(column.type))
