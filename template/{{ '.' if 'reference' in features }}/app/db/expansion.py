"""Rows together with the rows that they refer to, in one statement."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import FromClause, Select, and_, select

from app.db.database import ResultRow
from app.db.prepared import built_once
from app.db.references import model_of
from app.db.scope import Scope
from app.db.statements import Model, select_row
from app.models.row import Id


def _label(number: int, column: str) -> str:
    """Name a column of a row that is referred to; the name of the reference may be too long."""
    return f"{number}.{column}"


@built_once
def _select_expanded(model: Model, names: tuple[str, ...]) -> Select[Any]:
    """Return the statement that selects a row, and those of its references that the caller can see."""
    statement = select_row(model)
    source: FromClause = model.__table__
    for number, name in enumerate(names):
        key = model.__table__.c[f"{name}_id"]
        [reference] = key.foreign_keys
        other = model_of(reference.column.table)
        target = other.__table__.alias(f"expanded_{number}")
        source = source.outerjoin(target, and_(target.c.id == key, *other.__visible__(target)))
        for column in select(*other.__columns__(target)).selected_columns:
            statement = statement.add_columns(column.label(_label(number, column.name)))
    return statement.select_from(source)


async def get_expanded(
    scope: Scope, model: Model, row_id: Id, references: Iterable[str]
) -> ResultRow:
    """Return a row, and under the name of each reference the row that it refers to, or None.

    Raises:
        NotFound: the scope does not have the row.
    """
    names = tuple(sorted(references))
    if not names:
        return await scope.get(model, row_id)
    found = await scope.execute_on(model, row_id, _select_expanded(model, names))
    row = {name: value for name, value in found.items() if "." not in name}
    for number, name in enumerate(names):
        start = _label(number, "")
        other = {
            column.removeprefix(start): value
            for column, value in found.items()
            if column.startswith(start)
        }
        row[name] = None if other["id"] is None else other
    return row
