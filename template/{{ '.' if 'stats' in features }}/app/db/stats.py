"""Statistics of the rows in scope."""

from sqlalchemy import func

from app.db.scope import Model, Scope
from app.schemas.stats import Stats


async def count(scope: Scope, model: Model) -> Stats:
    """Count the rows in scope."""
    total = func.count().label("total")
    counting = scope.select(model).with_only_columns(total, maintain_column_froms=True)
    [row] = await scope.execute(counting)
    return Stats(**row)
