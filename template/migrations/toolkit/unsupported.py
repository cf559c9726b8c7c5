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
            raise CommandError(
                f"{change.table_name}.{name} cannot change while the table exists: set "
                f"{_answer(change.table_name, name)} back, or create a table with another name and "
                "move the rows yourself"
            )


def _answer(table: str, column: str) -> str:
    if column == "user_id":
        return "user_scoped, user_id_type or auth"
    return "user_id_type" if table == "users" else "id_type"
