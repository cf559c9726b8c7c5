"""Statistics of the rows in scope."""

from sqlalchemy import Executable, func

from app.db.prepared import built_once
from app.db.scope import Scope
from app.db.statements import Model, select_rows
from app.schemas.stats import Stats


@built_once
def _count(model: Model) -> Executable:
    total = func.count().label("total")
    return select_rows(model).with_only_columns(total, maintain_column_froms=True)


async def count(scope: Scope, model: Model) -> Stats:
    """Count the rows in scope."""
    return Stats(**await scope.aggregate(_count(model)))
