"""Fill a development database with rows of two users: the same ones in each run.

The rows go through the schemas and services of the API. A database in which one of the users sees a
row is not changed, so a second run does nothing.
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from app import services
from app.db.caller import Caller
from app.db.database import Database
from app.db.scope import Scope
from app.db.statements import select_rows
from app.errors import ApiError
from app.models.row import Id
from app.models.scoped import Scoped
from app.settings import DatabaseSettings
from scripts.seed_users import DEFAULT_USERS, sign_in
from scripts.seed_values import NoValueError, Values

ROWS = 8
LINKS = 3
NOT_EMPTY = "The database has rows already: nothing was added.\n"
PRODUCTION = "This is a production environment: nothing was added."


class SeedSettings(DatabaseSettings):
    """The database, and whether it is one for development."""

    environment: str = "local"


@dataclass(eq=False)
class Resource:
    """A resource, and the ids of its new rows by user."""

    name: str
    model: type[Scoped]
    ids: dict[Any, list[Id]] = field(default_factory=dict)
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
        links = getattr(self.model, "__links__", {})
        return {
            name: next(iter(list(link.__table__.primary_key.columns)[1].foreign_keys)).column.table.name
            for name, link in links.items()
        }

    @cached_property
    def unique(self) -> set[str]:
        """Return the names of the fields that are unique."""
        indexes = [index for index in self.model.__table__.indexes if index.unique]
        return {column.name for index in indexes for column in index.columns}

    def owner(self, user_id: Any) -> Any:
        """Return whose rows the unique values are compared with: nobody's, if they are shared."""
        return user_id if "user_id" in self.model.__table__.columns else None

    def used_values(self, user_id: Any, name: str) -> set[str] | None:
        """Return the values of a field that must not be used again, if it is unique."""
        if name not in self.unique:
            return None
        return self.used.setdefault((self.owner(user_id), name), set())


def resources() -> dict[str, Resource]:
    """Return the resources by their tables, in an order in which their rows can be created."""
    found = []
    for module in iter_modules(services.__path__):
        service = import_module(f"app.services.{module.name}")
        models = vars(service).get("models")
        for model in vars(models).values() if models else ():
            if isinstance(model, type) and issubclass(model, Scoped) and hasattr(model, "__table__"):
                found.append(Resource(module.name, model))
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


class Seed:
    """Creates the rows of one user."""

    def __init__(self, resources: dict[str, Resource], scope: Scope) -> None:
        self.resources = resources
        self.scope = scope
        self.user_id = scope.caller.user_id

    async def run(self) -> None:
        """Create rows of all resources, then add references to rows that came later."""
        later: list[tuple[Resource, str]] = []
        for resource in self.resources.values():
            service = import_module(f"app.services.{resource.name}")
            create = getattr(service, f"create_{resource.name}")
            later += [
                (resource, name)
                for name, table in resource.references.items()
                if not self.resources[table].ids.get(self.user_id)
                and table != resource.model.__table__.name
            ]
            for number in range(ROWS):
                body = self.body(resource, number)
                if body is None:
                    break
                created = await create(self.scope, resource.values.schema.model_validate(body))
                resource.ids.setdefault(self.user_id, []).append(created.id)
        for resource, name in later:
            await self.refer(resource, name)

    def body(self, resource: Resource, number: int) -> dict[str, Any] | None:
        """Return a body, or None if there are no more values for a unique field."""
        body: dict[str, Any] = {}
        for name in resource.values.schema.model_fields:
            used = resource.used_values(self.user_id, name)
            if name in resource.links:
                ids = self.ids(resource.links[name])
                start = number % (len(ids) or 1)
                body[name] = ids[start : start + number % (LINKS + 1)]
            elif name in resource.references:
                ids = [one for one in self.ids(resource.references[name]) if str(one) not in (used or ())]
                nullable = resource.values.is_nullable(name)
                if ids and not (nullable and number % 2 == 0):
                    body[name] = ids[number // 2 % len(ids)]
                    if used is not None:
                        used.add(str(body[name]))
                elif not nullable:
                    return None
            elif not (resource.values.is_nullable(name) and number % 4 == 3):
                try:
                    body[name] = resource.values.value(name, number, used)
                except NoValueError:
                    if number or self.ids(resource.model.__table__.name):
                        return None
                    raise
        return body

    def ids(self, table: str) -> list[Id]:
        """Return the ids of the new rows of a table that this user can refer to."""
        return self.resources[table].ids.get(self.user_id, [])

    async def refer(self, resource: Resource, name: str) -> None:
        """Add references to the rows of a resource."""
        service = import_module(f"app.services.{resource.name}")
        schemas = import_module(f"app.schemas.{resource.name}")
        update = getattr(service, f"update_{resource.name}")
        schema = getattr(schemas, f"{resource.model.__name__}Update")
        pairs = zip(
            self.ids(resource.model.__table__.name),
            self.ids(resource.references[name]),
            strict=False,
        )
        for row_id, referenced in list(pairs)[: ROWS // 2]:
            await update(self.scope, row_id, schema.model_validate({name: referenced}))


async def seed(database: Database, callers: Sequence[Caller]) -> dict[str, int] | None:
    """Create rows of some users, and count them by table; None if one of them sees a row already."""
    found = resources()
    scopes = [Scope(database, caller) for caller in callers]
    for scope in scopes:
        for resource in found.values():
            if await scope.execute(select_rows(resource.model).limit(1)):
                return None
    for scope in scopes:
        async with scope.transaction() as inside:
            await Seed(found, inside).run()
    return {table: sum(map(len, one.ids.values())) for table, one in found.items()}


async def run(url: str, users: Sequence[str]) -> str:
    """Fill the database of a URL, and return what was done."""
    database = Database(url)
    try:
        async with sign_in(database, users) as (callers, notes):
            counts = await seed(database, callers)
    finally:
        await database.dispose()
    if counts is None:
        return NOT_EMPTY
    return "".join([*(f"{note}\n" for note in notes), *(f"{n} {t}\n" for t, n in counts.items())])


def main(arguments: Sequence[str]) -> str | None:
    """Fill the database, and return the error, if there is one."""
    users = " ".join(arguments).split() or DEFAULT_USERS
    try:
        settings = SeedSettings()
        if settings.environment.lower() == "production":
            return PRODUCTION
        sys.stdout.write(asyncio.run(run(settings.database_url, users)))
    except NoValueError as error:
        return f"No valid value was found for the field {error}."
    except ValidationError as error:
        return "; ".join(found["msg"].removeprefix("Value error, ") for found in error.errors())
    except (ApiError, DBAPIError) as error:
        return f"{error}".partition("\n")[0]
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
