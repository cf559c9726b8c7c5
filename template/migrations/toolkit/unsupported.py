"""Changes that no revision can make while there are rows."""

from collections.abc import Sequence

from alembic.operations import ops
from alembic.util import CommandError


def check_supported(operations: Sequence[ops.MigrateOperation]) -> None:
    """Refuse changes of what identifies a row or its owner.

    Raises:
        CommandError: an id, an owner or the users would change.
    """
    for one in operations:
        if isinstance(one, ops.DropTableOp) and one.table_name == "users":
            raise CommandError("auth cannot change while there are tables: set it back")
        if isinstance(one, ops.ModifyTableOps):
            _check_columns(one)


def _check_columns(change: ops.ModifyTableOps) -> None:
    for one in change.ops:
        name = one.column.name if isinstance(one, ops.AddColumnOp) else ""
        if isinstance(one, ops.DropColumnOp | ops.AlterColumnOp):
            name = one.column_name
        if name in {"id", "user_id"}:
            answer = "id_type" if name == "id" else "user_scoped or auth"
            raise CommandError(
                f"{change.table_name}.{name} cannot change while the table exists: set {answer} "
                "back, or create a table with another name and move the rows yourself"
            )
