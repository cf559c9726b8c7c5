"""The order in which tables are created: referred ones first."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from alembic.operations import ops
from sqlalchemy.schema import sort_tables_and_constraints


class SortedTables(NamedTuple):
    """Tables to create, and the foreign keys to add afterwards, because the tables form a cycle."""

    tables: list[ops.CreateTableOp]
    late_keys: list[ops.ModifyTableOps]


def sort_tables(operations: Sequence[ops.MigrateOperation]) -> SortedTables:
    """Sort the tables that operations create."""
    creations = {one.table_name: one for one in operations if isinstance(one, ops.CreateTableOp)}
    metadata = sa.MetaData()
    made = [one.to_table() for one in creations.values()]
    # The tables of the operations come first, then stand-ins for the others that they refer to.
    for table in [*made, *(other for one in made for other in one.metadata.tables.values())]:
        if table.name not in metadata.tables:
            table.to_metadata(metadata)
    found = sort_tables_and_constraints(metadata.tables.values())  # type: ignore[no-untyped-call]
    *order, (_, late) = found
    names = {key.name for key in late}
    for one in creations.values():
        for key in one.columns:
            if isinstance(key, sa.ForeignKeyConstraint) and key.name in names:
                key.use_alter = True
    tables = [table.name for table, _ in order if table is not None]
    keys = [
        ops.ModifyTableOps(key.table.name, [ops.CreateForeignKeyOp.from_constraint(key)])
        for key in sorted(late, key=lambda key: str(key.name))
    ]
    return SortedTables([creations[name] for name in tables if name in creations], keys)
