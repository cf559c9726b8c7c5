"""What `make migration` writes: the operations that autogenerate finds, as steps that keep rows."""

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import Rewriter
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from pydantic import TypeAdapter
from sqlalchemy.schema import sort_tables_and_constraints
from sqlmodel import SQLModel

from migrations.toolkit import values
from migrations.toolkit.rendering import Line, Step

# The values of a required column that a downgrade adds again.
ZEROS: dict[str, Any] = {
    "string": "",
    "boolean": False,
    "float": 0,
    "decimal": 0,
    "integer": 0,
    "datetime": values.NOW,
    "date": "1970-01-01",
    "uuid": "00000000-0000-0000-0000-000000000000",
    "json": [],
}

Operations = Sequence[ops.MigrateOperation]
Fill = Callable[[str, sa.Column[Any]], Any]

rewriter = Rewriter()


@rewriter.rewrites(ops.CreateIndexOp)
def _state_conditions(
    _context: MigrationContext, _revision: object, index: ops.CreateIndexOp
) -> ops.CreateIndexOp:
    """Give an index that was read from SQLite its condition on PostgreSQL too."""
    if "sqlite_where" in index.kw:
        index.kw.setdefault("postgresql_where", index.kw["sqlite_where"])
    return index


def _models(base: type[SQLModel] = SQLModel) -> Iterator[type[SQLModel]]:
    for model in base.__subclasses__():
        yield model
        yield from _models(model)


def _default(table: str, column: sa.Column[Any]) -> Any:
    """Return the default that the schemas give a field."""
    if column.default is not None and column.default.is_callable:
        return values.NOW if values.kind(column.type) == "datetime" else None
    for model in _models():
        if getattr(model, "__tablename__", None) == table and hasattr(model, "__table__"):
            module = importlib.import_module(model.__module__.replace(".models.", ".schemas."))
            schema = getattr(module, f"{model.__name__}Create", None)
            field = schema.model_fields.get(column.name) if schema else None
            if field is not None and not field.is_required():
                default = field.get_default(call_default_factory=True)
                return TypeAdapter(Any).dump_python(default, mode="json")
    return None


def _zero(_table: str, column: sa.Column[Any]) -> Any:
    return None if column.nullable else ZEROS.get(values.kind(column.type))


def _renamed(operations: Operations) -> dict[str, str]:
    """Return the new names of renamed columns by their old names."""
    dropped = {one.column_name for one in operations if isinstance(one, ops.DropColumnOp)}
    added = [one.column for one in operations if isinstance(one, ops.AddColumnOp)]
    names = {column.info.get("renamed_from"): column.name for column in added}
    return {old: new for old, new in names.items() if old in dropped}


def _check_supported(operations: Operations) -> None:
    """Refuse changes that no revision can make while there are rows.

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


def _deletion(drop: ops.DropColumnOp) -> Line:
    if drop.column_name == "deleted_at":
        return Line(f"steps.refuse_soft_deleted({drop.table_name!r})")
    return Line(f"# Deletes the values of {drop.table_name}.{drop.column_name}.")


def _duplicates(index: ops.CreateIndexOp) -> Line:
    columns = [str(getattr(column, "name", column)) for column in index.columns]
    where = index.kw.get("sqlite_where")
    condition = "" if where is None else f", where={str(where)!r}"
    return Line(f"steps.refuse_duplicates({index.table_name!r}, {columns!r}{condition})")


def _sort_tables(
    operations: Operations,
) -> tuple[list[ops.CreateTableOp], list[ops.ModifyTableOps]]:
    """Return the tables to create, referred ones first, and the foreign keys to add afterwards."""
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
    return [creations[name] for name in tables if name in creations], keys


class Direction:
    """The upgrade or the downgrade of a revision."""

    def __init__(self, context: MigrationContext, operations: Operations, fill: Fill) -> None:
        self.context = context
        self.operations = operations
        self.fill = fill
        self.creations, self.late_keys = _sort_tables(operations)

    def directives(
        self, opposite: "Direction", renames: dict[str, dict[str, str]]
    ) -> Iterator[ops.MigrateOperation]:
        """Yield what to write; tables are dropped in the reverse order of their creation."""
        order = [one.table_name for one in opposite.creations]
        drops = [one for one in self.operations if isinstance(one, ops.DropTableOp)]
        drops.sort(key=lambda one: order.index(one.table_name), reverse=True)
        whole = {*order, *(one.table_name for one in self.creations)}
        yield from (key.reverse() for key in opposite.late_keys)
        yield from self.creations
        for one in self.operations:
            if isinstance(one, ops.ModifyTableOps) and one.table_name not in whole:
                yield from self.table(one, renames.get(one.table_name, {}))
            elif not isinstance(one, ops.CreateTableOp | ops.DropTableOp):
                yield one
        for drop in drops:
            yield Line(f"# Deletes the table {drop.table_name} and all its rows.")
            yield drop
        yield from self.late_keys

    def table(
        self, change: ops.ModifyTableOps, renames: dict[str, str]
    ) -> Iterator[ops.MigrateOperation]:
        """Yield the changes of one table: constraints go first, and come last."""
        table, found = change.table_name, change.ops
        gone = [one for one in found if isinstance(one, ops.DropIndexOp | ops.DropConstraintOp)]
        made = [one for one in found if isinstance(one, ops.CreateIndexOp | ops.AddConstraintOp)]
        adds = {one.column.name: one for one in found if isinstance(one, ops.AddColumnOp)}
        drops = {one.column_name: one for one in found if isinstance(one, ops.DropColumnOp)}
        if gone:
            yield ops.ModifyTableOps(table, gone)
        for old, new in renames.items():
            yield self.alter(self.rename(drops.pop(old).to_column(), adds.pop(new)))
        for add in adds.values():
            yield Step(add, self.fill(table, add.column))
        yield from (self.alter(one) for one in found if isinstance(one, ops.AlterColumnOp))
        for drop in drops.values():
            yield _deletion(drop)
            yield ops.ModifyTableOps(table, [drop])
        for one in made:
            if isinstance(one, ops.CreateIndexOp) and one.unique:
                yield _duplicates(one)
        if made:
            yield ops.ModifyTableOps(table, made)

    def rename(self, old: sa.Column[Any], add: ops.AddColumnOp) -> ops.AlterColumnOp:
        """Return the change of a column that gets another name, and maybe another type."""
        new = add.column
        retyped = self.context.impl.compare_type(old, new)
        return ops.AlterColumnOp(
            add.table_name,
            old.name,
            existing_type=old.type,
            existing_nullable=old.nullable,
            modify_name=new.name,
            modify_type=new.type if retyped else None,
            modify_nullable=None if old.nullable == new.nullable else new.nullable,
        )

    def alter(self, change: ops.AlterColumnOp) -> Step:
        """Return a change of a column, with the value for nulls where it becomes required."""
        if change.modify_nullable is not False:
            return Step(change)
        name = change.modify_name or change.column_name
        type_ = change.modify_type or change.existing_type
        column = sa.Column(name, type_, nullable=False)
        return Step(change, self.fill(change.table_name, column))


def keep_rows(
    context: MigrationContext, _revision: object, scripts: list[ops.MigrationScript]
) -> None:
    """Replace the operations of a revision by steps that keep rows, both ways."""
    for script in scripts:
        up, down = script.upgrade_ops, script.downgrade_ops
        # `alembic check` writes nothing, and prints the operations itself.
        if up is None or down is None or script.message is None:
            continue
        _check_supported(up.ops)
        changes = [one for one in up.ops if isinstance(one, ops.ModifyTableOps)]
        renames = {one.table_name: _renamed(one.ops) for one in changes}
        back = {table: {new: old for old, new in names.items()} for table, names in renames.items()}
        upgrade = Direction(context, up.ops, _default)
        downgrade = Direction(context, down.ops, _zero)
        up.ops = list(upgrade.directives(downgrade, renames))
        down.ops = list(downgrade.directives(upgrade, back))


process_revision_directives = rewriter.chain(keep_rows)
