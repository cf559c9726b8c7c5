"""Rows with many-to-many links: written together with their links, or not at all."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy import Column, Table, delete, insert, select

from app.db.database import ResultRow, Values
from app.db.references import NO_SUCH_ROW, insert_checked, missing_ids, update_checked
from app.db.scope import Scope
from app.db.statements import Model
from app.errors import ValidationFailed
from app.models.linked import Linked
from app.models.row import Id

Update = Callable[[Scope, Model, Id, Values], Awaitable[ResultRow]]


def _sides(link: Table) -> tuple[Column[Any], Column[Any]]:
    """Return the columns of the owning side and of the other side."""
    own, other = link.primary_key.columns
    return own, other


def split(model: type[Linked], data: Values) -> tuple[Values, dict[str, Sequence[Id]]]:
    """Return the values of columns, and the ids of links."""
    links = {name: data[name] for name in model.__links__ if name in data}
    return {name: value for name, value in data.items() if name not in links}, links


async def add_links(
    scope: Scope,
    model: type[Linked],
    name: str,
    wanted: Sequence[tuple[Id, Sequence[Id]]],
    *,
    numbered: bool = False,
) -> None:
    """Link rows to others; errors name the field, with the number of the row if it is `numbered`.

    Raises:
        ValidationFailed: one of the others is not in scope.
    """
    link = model.__links__[name].__table__
    own, other = _sides(link)
    values = [{own.name: row_id, other.name: each} for row_id, ids in wanted for each in ids]
    if not values:
        return
    [key] = other.foreign_keys
    missing = await missing_ids(scope, key.column.table, {value[other.name] for value in values})
    if missing:
        numbers = (number for number, (_, ids) in enumerate(wanted) if missing.intersection(ids))
        names = [f"{number}.{name}" for number in numbers] if numbered else [name]
        raise ValidationFailed(errors=dict.fromkeys(names, NO_SUCH_ROW))
    await scope.execute(insert(link), values)


async def _replace_links(
    scope: Scope, model: type[Linked], name: str, row_id: Id, ids: Sequence[Id]
) -> None:
    """Link a row to exactly these others; links that stay are not touched."""
    link = model.__links__[name].__table__
    own, other = _sides(link)
    linked = await scope.execute(select(other).where(own == row_id))
    present = {row[other.name] for row in linked}
    gone = present - set(ids)
    if gone:
        await scope.execute(delete(link).where(own == row_id, other.in_(gone)))
    await add_links(scope, model, name, [(row_id, [each for each in ids if each not in present])])


async def insert_linked(scope: Scope, model: type[Linked], data: Values) -> ResultRow:
    """Insert a row with its links, and return it.

    Raises:
        Conflict: a unique value is already in use.
        ValidationFailed: a reference or link is not to a row in scope.
    """
    columns, links = split(model, data)
    async with scope.transaction() as inner:
        row = await insert_checked(inner, model, columns)
        for name, ids in links.items():
            await add_links(inner, model, name, [(row["id"], ids)])
        return await inner.get(model, row["id"])


async def update_linked(
    scope: Scope,
    model: type[Linked],
    row_id: Id,
    data: Values,
    update: Update = update_checked,
) -> ResultRow:
    """Update a row and its links, and return it; without data, nothing is written.

    Raises:
        NotFound: the scope does not have the row.
        Conflict: a unique value is already in use.
        ValidationFailed: a new reference or link is not to a row in scope.
    """
    columns, links = split(model, data)
    if not links:
        return await update(scope, model, row_id, columns)
    async with scope.transaction() as inner:
        # Links alone update the row, too.
        await update(inner, model, row_id, columns or {"id": row_id})
        for name, ids in links.items():
            await _replace_links(inner, model, name, row_id, ids)
        return await inner.get(model, row_id)
