"""Statistics of rows that can be completed."""

from sqlalchemy import Executable, func

from app.db.prepared import built_once
from app.db.scope import Scope
from app.db.statements import Model, select_rows
from app.schemas.completion_stats import CompletionStats


@built_once
def _count(model: Model) -> Executable:
    # Null counts as pending.
    completed = func.count().filter(model.__table__.c.completed.is_(True))
    counts = (func.count().label("total"), completed.label("completed"))
    return select_rows(model).with_only_columns(*counts, maintain_column_froms=True)


async def count_completed(scope: Scope, model: Model) -> CompletionStats:
    """Count the rows in scope."""
    row = await scope.aggregate(_count(model))
    return CompletionStats(
        total=row["total"],
        completed=row["completed"],
        pending=row["total"] - row["completed"],
        completion_rate=row["completed"] / row["total"] if row["total"] else 0,
    )
