"""What `make migration` writes: the difference between tables and models, as steps that keep rows."""

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import _render_column, _repr_type
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from pydantic import TypeAdapter
from sqlmodel import SQLModel

NOTHING = object()
# What fills a column that a downgrade brings back.
ZEROS: dict[type[sa.types.TypeEngine[Any]], Any] = {
    sa.Boolean: False,
    sa.DateTime: "now",
    sa.Date: "1970-01-01",
    sa.Uuid: "00000000-0000-0000-0000-000000000000",
    sa.JSON: [],
    sa.String: "",
    sa.Float: 0,
    sa.Numeric: 0,
    sa.Integer: 0,
}
IMPORT = "from migrations.toolkit import steps"

Operation = ops.MigrateOperation
Fill = Callable[[str, sa.Column[Any]], Any]


class Step(ops.MigrateOperation):
    """A line of a revision, rendered when it is written."""

    def __init__(self, render: Callable[[AutogenContext], str]) -> None:
        self.render = render


@renderers.dispatch_for(Step)
def _render(context: AutogenContext, step: Step) -> str:
    context.imports.add(IMPORT)
    return step.render(context)


def _call(name: str, *arguments: Any, **options: Any) -> Step:
    """Return the call of a step; columns and types are rendered as revisions write them."""

    def one(value: Any, context: AutogenContext) -> str:
        if isinstance(value, sa.Column):
            return str(_render_column(value, context))
        if isinstance(value, sa.types.TypeEngine):
            return str(_repr_type(value, context))
        return repr(value)

    def render(context: AutogenContext) -> str:
        parts = [one(value, context) for value in arguments]
        parts += [f"{key}={one(value, context)}" for key, value in options.items()]
        return f"steps.{name}({', '.join(parts)})"

    return Step(render)


def _comment(text: str) -> Step:
    return Step(lambda _context: f"# {text}")


def _models() -> dict[str, type[SQLModel]]:
    found: dict[str, type[SQLModel]] = {}
    waiting = [SQLModel]
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        table = getattr(model, "__table__", None)
        if table is not None:
            found[table.name] = model
    return found


def _plain(type_: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    return type_.impl_instance if isinstance(type_, sa.TypeDecorator) else type_


def _default(table: str, column: sa.Column[Any]) -> Any:
    """Return what the schemas say that a field is when it is not sent."""
    if column.default is not None and column.default.is_callable:
        return "now" if isinstance(_plain(column.type), sa.DateTime) else NOTHING
    model = _models().get(table)
    if model is None:
        return NOTHING
    schemas = importlib.import_module(model.__module__.replace(".models.", ".schemas."))
    schema = getattr(schemas, f"{model.__name__}Create", None)
    field = schema.model_fields.get(column.name) if schema else None
    if field is None or field.is_required():
        return NOTHING
    value = field.get_default(call_default_factory=True)
    if value is None:
        return NOTHING
    return TypeAdapter(Any).dump_python(value, mode="json")


def _zero(_table: str, column: sa.Column[Any]) -> Any:
    if column.nullable:
        return NOTHING
    plain = _plain(column.type)
    return next((zero for kind, zero in ZEROS.items() if isinstance(plain, kind)), NOTHING)


def _renamed(operations: Sequence[Operation]) -> dict[str, str]:
    """Return the new names of columns, by the old ones that are still there."""
    dropped = {one.column_name for one in operations if isinstance(one, ops.DropColumnOp)}
    added = [one.column for one in operations if isinstance(one, ops.AddColumnOp)]
    names = {column.info.get("renamed_from"): column.name for column in added}
    return {old: new for old, new in names.items() if old in dropped}


def _refuse_identity(table: str, operations: Sequence[Operation]) -> None:
    """Refuse what no revision can do for rows that are there.

    Raises:
        CommandError: an id or an owner would change.
    """
    for one in operations:
        name = one.column.name if isinstance(one, ops.AddColumnOp) else ""
        if isinstance(one, ops.DropColumnOp | ops.AlterColumnOp):
            name = one.column_name
        if name in {"id", "user_id"}:
            answer = "id_type" if name == "id" else "user_scoped or auth"
            raise CommandError(
                f"{table}.{name} cannot change while the table exists: set {answer} back, or start "
                "a new table under another name and move the rows yourself"
            )


class TablePlan:
    """The steps for one table, in an order that works."""

    def __init__(
        self, context: MigrationContext, table: str, operations: Sequence[Operation], fill: Fill
    ) -> None:
        self.context = context
        self.table = table
        self.fill = fill
        self.adds = [one for one in operations if isinstance(one, ops.AddColumnOp)]
        self.drops = [one for one in operations if isinstance(one, ops.DropColumnOp)]
        self.alters = [one for one in operations if isinstance(one, ops.AlterColumnOp)]
        self.gone = [
            one for one in operations if isinstance(one, ops.DropIndexOp | ops.DropConstraintOp)
        ]
        kinds = (ops.CreateIndexOp, ops.AddConstraintOp)
        self.made = [one for one in operations if isinstance(one, kinds)]

    def write(self, renames: dict[str, str]) -> list[Operation]:
        """Return the steps; `renames` maps old names to new ones."""
        steps: list[Operation] = []
        if self.gone:
            steps.append(ops.ModifyTableOps(self.table, self.gone))
        for old, new in renames.items():
            steps.append(_call("rename_column", self.table, old, new))
            before = next(one.to_column() for one in self.drops if one.column_name == old)
            after = next(one.column for one in self.adds if one.column.name == new)
            steps += self._change(new, before, after)
        for add in self.adds:
            if add.column.name not in renames.values():
                steps.append(self._add(add.column))
        for alter in self.alters:
            steps += self._alter(alter)
        for drop in self.drops:
            if drop.column_name not in renames:
                steps += self._drop(drop.column_name)
        steps += [step for one in self.made for step in self._guard(one)]
        if self.made:
            steps.append(ops.ModifyTableOps(self.table, self.made))
        return steps

    def _add(self, column: sa.Column[Any]) -> Operation:
        bare = sa.Column(column.name, column.type, nullable=column.nullable)
        fill = self.fill(self.table, column)
        options = {} if fill is NOTHING else {"fill": fill}
        return _call("add_column", self.table, bare, **options)

    def _drop(self, name: str) -> list[Operation]:
        steps: list[Operation] = [_comment(f"Loses what {self.table}.{name} holds.")]
        if name == "deleted_at":
            steps = [_call("refuse_hidden", self.table)]
        return [*steps, _call("drop_column", self.table, name)]

    def _change(self, name: str, old: sa.Column[Any], new: sa.Column[Any]) -> list[Operation]:
        steps: list[Operation] = []
        if self.context.impl.compare_type(old, new):
            options = {"nullable": bool(old.nullable)}
            steps.append(_call("change_type", self.table, name, old.type, new.type, **options))
        if old.nullable != new.nullable:
            steps.append(self._nullable(name, new))
        return steps

    def _alter(self, alter: ops.AlterColumnOp) -> list[Operation]:
        name, type_, nullable = alter.column_name, alter.existing_type, alter.existing_nullable
        old = sa.Column(name, type_, nullable=bool(nullable))
        if alter.modify_type is not None:
            type_ = alter.modify_type
        if alter.modify_nullable is not None:
            nullable = alter.modify_nullable
        return self._change(name, old, sa.Column(name, type_, nullable=bool(nullable)))

    def _nullable(self, name: str, column: sa.Column[Any]) -> Operation:
        if column.nullable:
            return _call("allow_null", self.table, name, column.type)
        fill = self.fill(self.table, column)
        options = {} if fill is NOTHING else {"fill": fill}
        return _call("require", self.table, name, column.type, **options)

    def _guard(self, made: Operation) -> list[Operation]:
        if not isinstance(made, ops.CreateIndexOp) or not made.unique:
            return []
        columns = [str(getattr(one, "name", one)) for one in made.columns]
        where = made.kw.get("sqlite_where")
        options = {} if where is None else {"where": str(where)}
        return [_call("refuse_duplicates", self.table, columns, **options)]


def _target(key: sa.ForeignKeyConstraint) -> str:
    return key.elements[0].target_fullname.partition(".")[0]


def _holders(
    tables: Sequence[ops.CreateTableOp], held: ops.CreateTableOp
) -> list[ops.CreateTableOp]:
    """Return the tables that refer to one, with keys that are made when they are."""
    return [
        one
        for one in tables
        for key in one.to_table().foreign_key_constraints
        if one is not held and _target(key) == held.table_name and not key.use_alter
    ]


def _creations(operations: Sequence[Operation]) -> list[ops.CreateTableOp]:
    """Return the tables to create, the ones that others refer to first.

    Keys that make a circle are marked: they have to wait until all of its tables are there.
    """
    left = [one for one in operations if isinstance(one, ops.CreateTableOp)]
    found: list[ops.CreateTableOp] = []
    while left:
        free = [one for one in left if not _holders(left, one)]
        last = (free or left)[0]
        for holder in _holders(left, last):
            for key in holder.columns:
                if isinstance(key, sa.ForeignKeyConstraint) and _target(key) == last.table_name:
                    key.use_alter = True
        left.remove(last)
        found.insert(0, last)
    return found


def _late_keys(operations: Sequence[ops.CreateTableOp]) -> list[Operation]:
    """Return the keys of new tables that refer to each other, which autogenerate leaves out."""
    found: list[Operation] = []
    for one in operations:
        keys = [key for key in one.to_table().foreign_key_constraints if key.use_alter]
        made = [ops.CreateForeignKeyOp.from_constraint(key) for key in keys]
        if made:
            found.append(ops.ModifyTableOps(one.table_name, made))
    return found


def _keep_conditions(operations: Sequence[Operation]) -> None:
    """Give an index its condition on both databases: what SQLite tells of one is for SQLite."""
    for one in operations:
        if isinstance(one, ops.OpContainer):
            _keep_conditions(one.ops)
        elif isinstance(one, ops.CreateIndexOp) and one.kw.get("sqlite_where") is not None:
            one.kw.setdefault("postgresql_where", one.kw["sqlite_where"])


class Way:
    """One direction of a revision: what it does, and which tables it makes, in an order that works."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        _keep_conditions(operations)
        self.operations = operations
        self.made = _creations(operations)
        self.late_keys = _late_keys(self.made)

    def write(
        self,
        context: MigrationContext,
        back: "Way",
        fill: Fill,
        renames: dict[str, dict[str, str]],
    ) -> list[Operation]:
        """Return the steps; what the way back makes last goes first."""
        order = [one.table_name for one in back.made]
        drops = [one for one in self.operations if isinstance(one, ops.DropTableOp)]
        drops.sort(key=lambda one: order.index(one.table_name), reverse=True)
        whole = {one.table_name for one in self.made} | {one.table_name for one in drops}
        found = [key.reverse() for key in back.late_keys]
        found += self.made
        for one in self.operations:
            if isinstance(one, ops.ModifyTableOps) and one.table_name not in whole:
                plan = TablePlan(context, one.table_name, one.ops, fill)
                found += plan.write(renames.get(one.table_name, {}))
            elif not isinstance(one, ops.CreateTableOp | ops.DropTableOp):
                found.append(one)
        for drop in drops:
            found += [_comment(f"Loses the table {drop.table_name}, with all its rows."), drop]
        return found + self.late_keys


def _refuse_users(operations: Sequence[Operation]) -> None:
    """Refuse to drop the users, to whom the rows belong.

    Raises:
        CommandError: the table of users would go.
    """
    for one in operations:
        if isinstance(one, ops.DropTableOp) and one.table_name == "users":
            raise CommandError("auth cannot change while there are tables: set it back")


def keep_rows(
    context: MigrationContext, _revision: object, scripts: list[ops.MigrationScript]
) -> None:
    """Replace what autogenerate found by steps that keep rows, both ways."""
    for script in scripts:
        up, down = script.upgrade_ops, script.downgrade_ops
        # `alembic check` writes nothing, and shows the difference itself.
        if up is None or down is None or script.message is None:
            continue
        _refuse_users(up.ops)
        renames: dict[str, dict[str, str]] = {}
        for one in up.ops:
            if isinstance(one, ops.ModifyTableOps):
                _refuse_identity(one.table_name, one.ops)
                renames[one.table_name] = _renamed(one.ops)
        back = {table: {new: old for old, new in names.items()} for table, names in renames.items()}
        there, back_again = Way(up.ops), Way(down.ops)
        up.ops = there.write(context, back_again, _default, renames)
        down.ops = back_again.write(context, there, _zero, back)
