"""How operations and column types are written in a revision."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic.autogenerate import render_op_text, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import False_, True_
from sqlalchemy.types import UserDefinedType

# The names of Alembic's operations.
NAMES: dict[type[ops.MigrateOperation], str] = {
    ops.AddColumnOp: "add_column",
    ops.AlterColumnOp: "alter_column",
    ops.CreateForeignKeyOp: "create_foreign_key",
    ops.CreateIndexOp: "create_index",
    ops.DropColumnOp: "drop_column",
    ops.DropConstraintOp: "drop_constraint",
    ops.DropIndexOp: "drop_index",
    ops.DropTableOp: "drop_table",
}


class Line(ops.MigrateOperation):
    """A line of code, or a comment."""

    def __init__(self, code: str) -> None:
        self.code = code


class Step(ops.MigrateOperation):
    """A function of `steps` with the arguments of an operation of Alembic."""

    def __init__(
        self, operation: ops.MigrateOperation, function: str | None = None, *, fill: Any = None
    ) -> None:
        self.operation = operation
        self.name = function or NAMES[type(operation)]
        self.fill = fill


@renderers.dispatch_for(Line)
def _render_line(context: AutogenContext, line: Line) -> str:
    if line.code.startswith("steps."):
        context.imports.add("from migrations.toolkit import steps")
    return line.code


@renderers.dispatch_for(Step)
def _render_step(context: AutogenContext, step: Step) -> str:
    arguments = render_op_text(context, step.operation).partition("(")[2]
    if step.fill is not None:
        arguments = f"{arguments.removesuffix(')')}, fill={step.fill!r})"
    return _render_line(context, Line(f"steps.{step.name}({arguments}"))


def _is_jsonb(type_: sa.JSON) -> bool:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return isinstance(type_.dialect_impl(dialect), postgresql.JSONB)


def render_item(kind: str, item: object, context: AutogenContext) -> str | Literal[False]:
    """Write SQLAlchemy's own types instead of the app's, which may change later."""
    if kind == "server_default" and isinstance(item, sa.DefaultClause):
        # Not as the database at hand writes them: SQLite's 0 is no boolean in PostgreSQL.
        return f"sa.{item.arg}()" if isinstance(item.arg, True_ | False_) else False
    if kind == "type" and isinstance(item, sa.JSON) and _is_jsonb(item):
        context.imports.add("from sqlalchemy.dialects import postgresql")
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    if kind != "type" or not isinstance(item, sa.TypeDecorator) or isinstance(item, sa.Interval):
        return False
    plain = item.impl_instance
    on_sqlite = item.load_dialect_impl(sqlite.dialect())
    if isinstance(on_sqlite, type(plain) | UserDefinedType):
        return f"sa.{plain!r}"
    return f"sa.{plain!r}.with_variant(sa.{on_sqlite!r}, 'sqlite')"
