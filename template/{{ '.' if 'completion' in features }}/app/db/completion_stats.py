"""Statistics of rows that can be completed."""

from sqlalchemy import func

from app.db.scope import Model, Scope
from app.schemas.completion_stats import CompletionStats


async def count_completed(scope: Scope, model: Model) -> CompletionStats:
    """Count the rows in scope; null counts as pending."""
    completed = func.count().filter(model.__table__.c.completed.is_(True))
    counts = (func.count().label("total"), completed.label("completed"))
    counting = scope.select(model).with_only_columns(*counts, maintain_column_froms=True)
    [row] = await scope.execute(counting)
    return CompletionStats(
        total=row["total"],
        completed=row["completed"],
        pending=row["total"] - row["completed"],
        completion_rate=row["completed"] / row["total"] if row["total"] else 0,
    )
