"""How directives and column types are written in a revision."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic.autogenerate import render_op_text, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import UserDefinedType


class Line(ops.MigrateOperation):
    """A line of code, or a comment."""

    def __init__(self, code: str) -> None:
        self.code = code


class Step(ops.MigrateOperation):
    """An operation of Alembic that the function of the same name in `steps` executes."""

    def __init__(self, operation: ops.AddColumnOp | ops.AlterColumnOp, fill: Any = None) -> None:
        self.operation = operation
        self.fill = fill


@renderers.dispatch_for(Line)
def _render_line(context: AutogenContext, line: Line) -> str:
    if line.code.startswith("steps."):
        context.imports.add("from migrations.toolkit import steps")
    return line.code


@renderers.dispatch_for(Step)
def _render_step(context: AutogenContext, step: Step) -> str:
    code = render_op_text(context, step.operation).replace("op.", "steps.", 1)
    if step.fill is not None:
        code = f"{code.removesuffix(')')}, fill={step.fill!r})"
    return _render_line(context, Line(code))


def render_item(kind: str, item: object, context: AutogenContext) -> str | Literal[False]:
    """Write SQLAlchemy's own types instead of the app's, which may change later."""
    if kind == "type" and isinstance(item, sa.JSON):
        context.imports.add("from sqlalchemy.dialects import postgresql")
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    if kind != "type" or not isinstance(item, sa.TypeDecorator):
        return False
    plain = item.impl_instance
    on_sqlite = item.load_dialect_impl(sqlite.dialect())
    if isinstance(on_sqlite, type(plain) | UserDefinedType):
        return f"sa.{plain!r}"
    return f"sa.{plain!r}.with_variant(sa.{on_sqlite!r}, 'sqlite')"
