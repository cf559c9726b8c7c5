"""The resources of the API, as `make seed` sees them: their fields, references and order."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from app import services
from app.models.row import Id
from app.models.scoped import Scoped
from scripts.seed_values import Values


@dataclass(eq=False)
class Resource:
    """A resource, and the ids of its new rows by user."""

    name: str
    model: type[Scoped]
    ids: dict[Any, list[Id]] = field(default_factory=dict)
    # A required field without a valid value, if there is one: then there are fewer rows, or none.
    without_value: str | None = None
    used: dict[tuple[Any, str], set[str]] = field(default_factory=dict)

    @cached_property
    def values(self) -> Values:
        """Return what makes the values of its fields."""
        schemas = import_module(f"app.schemas.{self.name}")
        return Values(getattr(schemas, f"{self.model.__name__}Create"))

    @cached_property
    def references(self) -> dict[str, str]:
        """Return the tables of referenced rows by the names of the fields."""
        return {
            column.name: key.column.table.name
            for column in self.model.__table__.columns
            for key in column.foreign_keys
            if column.name in self.values.schema.model_fields
        }

    @cached_property
    def links(self) -> dict[str, str]:
        """Return the tables of linked rows by the names of the fields."""
        tables = {}
        for name, link in getattr(self.model, "__links__", {}).items():
            # The primary key is the id of the own row, then that of the other one.
            _, other = link.__table__.primary_key.columns
            [key] = other.foreign_keys
            tables[name] = key.column.table.name
        return tables

    @cached_property
    def unique(self) -> set[str]:
        """Return the names of the fields that are unique."""
        indexes = [index for index in self.model.__table__.indexes if index.unique]
        return {column.name for index in indexes for column in index.columns}

    def owner(self, user_id: Any) -> Any:
        """Return the user within whose rows values are unique; None if the rows are shared."""
        return user_id if "user_id" in self.model.__table__.columns else None

    def used_values(self, user_id: Any, name: str) -> set[str] | None:
        """Return the values of a field that must not be used again, if it is unique."""
        if name not in self.unique:
            return None
        return self.used.setdefault((self.owner(user_id), name), set())


def _tables(module: ModuleType) -> Iterator[type[Scoped]]:
    """Yield the models with a table in a module."""
    for found in vars(module).values():
        if isinstance(found, type) and issubclass(found, Scoped) and hasattr(found, "__table__"):
            yield found


def _is_created(name: str, model: type[Scoped]) -> bool:
    """Return whether the modules of a model have what creates its rows."""
    schemas, service = (import_module(f"app.{layer}.{name}") for layer in ("schemas", "services"))
    return hasattr(schemas, f"{model.__name__}Create") and hasattr(service, f"create_{name}")


def resources() -> dict[str, Resource]:
    """Return the resources by their tables, in an order in which their rows can be created."""
    found = [
        Resource(module.name, model)
        for module in iter_modules(services.__path__)
        if find_spec(f"app.models.{module.name}") and find_spec(f"app.schemas.{module.name}")
        for model in _tables(import_module(f"app.models.{module.name}"))
        if _is_created(module.name, model)
    ]
    ordered: dict[str, Resource] = {}
    while rest := [one for one in found if one.model.__table__.name not in ordered]:
        best = min(rest, key=lambda one: _missing(one, ordered))
        ordered[best.model.__table__.name] = best
    return ordered


def _missing(resource: Resource, done: dict[str, Resource]) -> tuple[int, int]:
    """Count the references to tables without rows: those that are required, and all."""
    columns = resource.model.__table__.columns
    missing = [
        name
        for name, table in resource.references.items()
        if table not in done and table != resource.model.__table__.name
    ]
    links = [table for table in resource.links.values() if table not in done]
    return sum(not columns[name].nullable for name in missing), len(missing) + len(links)
