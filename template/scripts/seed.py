"""Fill a development database with rows of two users: the same ones in each run.

The rows go through the schemas and services of the API. A database in which one of the users sees a
row is not changed, so a second run does nothing.
"""

import asyncio
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from pydantic import MISSING, ValidationError
from sqlalchemy.exc import DBAPIError

from app.db.caller import Caller
from app.db.database import Database
from app.db.scope import Scope
from app.db.statements import select_rows
from app.errors import ApiError
from app.models.row import Id
from app.settings import DatabaseSettings
from scripts.seed_resources import Resource, resources
from scripts.seed_users import DEFAULT_USERS, sign_in
from scripts.seed_values import NoValueError

ROWS = 8
LINKS = 3
# Of four rows, the one whose fields are null if they can be.
NULL_ROW = 3
NOT_EMPTY = "The database has rows already: nothing was added.\n"
PRODUCTION = "This is a production environment: nothing was added."


class SeedSettings(DatabaseSettings):
    """The database, and whether it is one for development."""

    environment: str = "local"


class Seed:
    """Creates the rows of one user."""

    def __init__(self, found: dict[str, Resource], scope: Scope) -> None:
        self.resources = found
        self.scope = scope
        self.user_id = scope.caller.user_id

    async def run(self) -> None:
        """Create rows of all resources, then add references to rows that came later."""
        later: list[tuple[Resource, str]] = []
        for resource in self.resources.values():
            later += [
                (resource, name)
                for name, table in resource.references.items()
                if not self.ids(table) and table != resource.model.__table__.name
            ]
            await self.create(resource)
        for resource, name in later:
            await self.refer(resource, name)

    async def create(self, resource: Resource) -> None:
        """Create rows of a resource: fewer if a required field has not enough valid values."""
        service = import_module(f"app.services.{resource.name}")
        create = getattr(service, f"create_{resource.name}")
        for number in range(ROWS):
            try:
                body = self.body(resource, number)
            except NoValueError as error:
                resource.without_value = str(error)
                return
            created = await create(self.scope, resource.values.schema.model_validate(body))
            resource.ids.setdefault(self.user_id, []).append(created.id)

    def body(self, resource: Resource, number: int) -> dict[str, Any]:
        """Return a valid body."""
        fields = resource.values.schema.model_fields
        values = {name: self.value(resource, name, number) for name in fields}
        return {name: value for name, value in values.items() if value is not MISSING}

    def value(self, resource: Resource, name: str, number: int) -> Any:
        """Return the value of a field; MISSING if it is left out."""
        if name in resource.links:
            ids = self.ids(resource.links[name])
            start = number % max(len(ids), 1)
            return ids[start : start + number % (LINKS + 1)]
        if name in resource.references:
            return self.reference(resource, name, number)
        if resource.values.is_nullable(name) and number % 4 == NULL_ROW:
            return None
        used = resource.used_values(self.user_id, name)
        try:
            return resource.values.value(name, number, used)
        except NoValueError:
            if resource.values.is_nullable(name):
                return None
            # The default of a unique field would be used twice.
            if resource.values.is_required(name) or used is not None:
                raise
            return MISSING

    def reference(self, resource: Resource, name: str, number: int) -> Any:
        """Return the id of a row of the same user; every other one is null if it can be."""
        used = resource.used_values(self.user_id, name)
        ids = self.ids(resource.references[name])
        if used is not None:
            ids = [row_id for row_id in ids if str(row_id) not in used]
        if resource.values.is_nullable(name) and (not ids or number % 2 == 0):
            return MISSING
        if not ids:
            raise NoValueError(name)
        chosen = ids[number // 2 % len(ids)]
        if used is not None:
            used.add(str(chosen))
        return chosen

    def ids(self, table: str) -> list[Id]:
        """Return the ids of the new rows of a table that this user can refer to."""
        found = self.resources.get(table)
        return found.ids.get(self.user_id, []) if found else []

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


async def seed(database: Database, callers: Sequence[Caller]) -> list[str] | None:
    """Create rows of some users, and describe them; None if one of them sees a row already."""
    found = resources()
    scopes = [Scope(database, caller) for caller in callers]
    for scope in scopes:
        for resource in found.values():
            if await scope.execute(select_rows(resource.model).limit(1)):
                return None
    for scope in scopes:
        async with scope.transaction() as inside:
            await Seed(found, inside).run()
    return [_summary(table, resource) for table, resource in found.items()]


def _summary(table: str, resource: Resource) -> str:
    count = sum(map(len, resource.ids.values()))
    if count or resource.without_value is None:
        return f"{count} {table}"
    return f"0 {table}: no valid value was found for the field {resource.without_value}"


async def run(url: str, users: Sequence[str]) -> str:
    """Fill the database of a URL, and return what was done."""
    database = Database(url)
    try:
        async with sign_in(database, users) as (callers, notes):
            done = await seed(database, callers)
    finally:
        await database.dispose()
    if done is None:
        return NOT_EMPTY
    return "".join(f"{line}\n" for line in (*notes, *done))


def main(arguments: Sequence[str]) -> str | None:
    """Fill the database, and return the error, if there is one."""
    users = " ".join(arguments).split() or DEFAULT_USERS
    try:
        settings = SeedSettings()
        if settings.environment.lower() == "production":
            return PRODUCTION
        sys.stdout.write(asyncio.run(run(settings.database_url, users)))
    except ValidationError as error:
        return "; ".join(found["msg"].removeprefix("Value error, ") for found in error.errors())
    except (ApiError, DBAPIError) as error:
        return f"{error}".partition("\n")[0]
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
