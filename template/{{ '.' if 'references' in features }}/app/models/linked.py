"""Many-to-many relations: link tables, read as lists of ids."""

from typing import Any, ClassVar

from sqlalchemy import JSON, ColumnElement, FromClause, Select, Table, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlmodel import SQLModel

from app.models.scoped import Scoped


class LinkTable(SQLModel):
    """A link table: its primary key is the id of the owning row, then that of the other row."""

    __table__: ClassVar[Table]


class json_list(GenericFunction[list[Any]]):  # noqa: N801  # Functions are named as in SQL.
    """The values of a column, as a JSON array."""

    type = JSON()
    inherit_cache = True


@compiles(json_list, "postgresql")
def _on_postgresql(element: json_list, compiler: SQLCompiler, **options: Any) -> str:
    return f"coalesce(json_agg({compiler.process(element.clauses, **options)}), '[]')"


@compiles(json_list, "sqlite")
def _on_sqlite(element: json_list, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array({compiler.process(element.clauses, **options)})"


@compiles(Select, "sqlite")
def _with_tables(element: Select[Any], compiler: SQLCompiler, **options: Any) -> Any:
    """Qualify the columns of subqueries with their table, also in RETURNING.

    In RETURNING for SQLite, SQLAlchemy renders all columns without their table. In a subquery, a
    bare `id` is a column or label of the subquery rather than the id of the row.
    """
    options.pop("include_table", None)
    return compiler.visit_select(element, **options)  # type: ignore[no-untyped-call]


def _ids(link: Table, table: FromClause) -> ColumnElement[Any]:
    own, other = link.primary_key.columns
    linked = select(other.label("id")).where(own == table.c.id).correlate(table).order_by(other)
    return select(json_list(linked.subquery().c.id)).scalar_subquery()


class Linked(Scoped):
    """Adds lists of the ids of other rows, in ascending order."""

    # The link tables, by the names of the lists.
    __links__: ClassVar[dict[str, type[LinkTable]]]

    @classmethod
    def __columns__(cls, table: FromClause) -> list[Any]:
        links = cls.__links__.items()
        lists = [_ids(link.__table__, table).label(name) for name, link in links]
        return [*super().__columns__(table), *lists]
