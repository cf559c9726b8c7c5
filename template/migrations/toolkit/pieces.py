"""The pieces that revisions are made of: a change of a table, both ways, and when it is applied."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext

from migrations.toolkit import values
from migrations.toolkit.defaults import default, zero
from migrations.toolkit.groups import Group, Operations, Piece
from migrations.toolkit.rendering import Line, Step
from migrations.toolkit.tables import sort_tables
from migrations.toolkit.values import Type


def pieces(context: MigrationContext, operations: Operations) -> Iterator[Piece]:
    """Yield the pieces of all changes."""
    created = sort_tables(operations)
    dropped = sort_tables([one.reverse() for one in operations if isinstance(one, ops.DropTableOp)])
    new, old = ({one.table_name for one in found.tables} for found in (created, dropped))
    for table in created.tables:
        loss = Line(f"# Deletes the table {table.table_name} and all its rows.")
        yield Piece(Group.EXPAND, 0, [table], [loss, table.reverse(), *_enums(table)])
    for key in created.late_keys:
        yield Piece(Group.EXPAND, 2, [key], [key.reverse()])
    for one in operations:
        if isinstance(one, ops.ModifyTableOps):
            if one.table_name in new:
                yield Piece(Group.EXPAND, 1, [portable(index) for index in one.ops], [])
            elif one.table_name in old:
                # The upgrade drops them with the table.
                indexes = [portable(index.reverse()) for index in one.ops]
                yield Piece(Group.CONTRACT, 7, [], indexes)
            else:
                yield from TableChange(context, one).pieces()
        elif not isinstance(one, ops.CreateTableOp | ops.DropTableOp):
            yield Piece(Group.EXPAND, 9, [one], [one.reverse()])
    for key in dropped.late_keys:
        yield Piece(Group.CONTRACT, 8, [Step(key.ops[0].reverse())], [key])
    for table in reversed(dropped.tables):
        loss = Line(f"# Deletes the table {table.table_name} and all its rows.")
        yield Piece(Group.CONTRACT, 9, [loss, Step(table.reverse()), *_enums(table)], [table])


def _enums(table: ops.CreateTableOp) -> Iterator[Line]:
    """Yield the steps that drop the enums of a table, which PostgreSQL keeps as types."""
    for column in table.columns:
        type_ = column.type if isinstance(column, sa.Column) else None
        if isinstance(type_, sa.Enum) and type_.native_enum and type_.name:
            yield Line(f"steps.drop_enum({type_.name!r})")


def portable(index: Any) -> Any:
    """Return an index that was maybe read from SQLite as it is on PostgreSQL, too."""
    if isinstance(index, ops.CreateIndexOp):
        index.unique = bool(index.unique)
        if "sqlite_where" in index.kw:
            index.kw.setdefault("postgresql_where", index.kw["sqlite_where"])
    return index


def _key_columns(index: ops.CreateIndexOp) -> list[str]:
    return [str(getattr(column, "name", column)) for column in index.columns]


def _condition(index: ops.CreateIndexOp) -> str | None:
    where = index.kw.get("sqlite_where", index.kw.get("postgresql_where"))
    return None if where is None else str(where)


@dataclass
class TableChange:
    """The changes of one table that exists before and after."""

    context: MigrationContext
    change: ops.ModifyTableOps
    renames: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Find the columns that are renamed: the model states their former names."""
        self.table = self.change.table_name
        found = self.change.ops
        self.adds = {one.column.name: one for one in found if isinstance(one, ops.AddColumnOp)}
        self.drops = {one.column_name: one for one in found if isinstance(one, ops.DropColumnOp)}
        formers = {add.column.info.get("renamed_from"): new for new, add in self.adds.items()}
        self.renames = {old: new for old, new in formers.items() if old in self.drops}
        keys: list[Any] = [one.reverse() for one in found if _drops_key(one)]
        created = [one for one in found if isinstance(one, ops.CreateIndexOp)]
        dropped = [one.reverse() for one in found if isinstance(one, ops.DropIndexOp)]
        self.created = {one.index_name: portable(one) for one in created}
        self.dropped = {one.index_name: portable(one) for one in dropped}
        # The columns of foreign keys and unique indexes that go.
        self.restricted = {name for key in keys for name in key.local_cols}
        for index in self.dropped.values():
            self.restricted.update(_key_columns(index) if index.unique else [])

    def pieces(self) -> Iterator[Piece]:
        """Yield the pieces of the columns, then those of indexes and constraints."""
        for old, new in self.renames.items():
            yield self.rename(self.drops.pop(old).to_column(), self.adds.pop(new).column)
        for add in self.adds.values():
            yield from self.add(add)
        for drop in self.drops.values():
            yield from self.drop(drop)
        rest = []
        for one in self.change.ops:
            if isinstance(one, ops.AlterColumnOp):
                yield from self.alter(one)
            elif not isinstance(
                one, ops.AddColumnOp | ops.DropColumnOp | ops.CreateIndexOp | ops.DropIndexOp
            ):
                rest.append(one)
        yield from self.renamed_indexes()
        for index in self.created.values():
            yield self.create_index(index)
        for index in self.dropped.values():
            yield self.drop_index(index)
        yield from self.constraints(rest)

    def add(self, add: ops.AddColumnOp) -> Iterator[Piece]:
        """Yield a new column: with a default in the database while the old version inserts rows."""
        column, name = add.column, add.column.name
        undo: Operations = [self.deletion(name), Step(add.reverse())]
        generated = column.server_default is not None or column.computed is not None
        fill = default(self.table, column)
        if fill is not None:
            yield Piece(Group.EXPAND, 3, [Step(add, fill=fill)], undo)
            drop = Line(f"steps.drop_default({self.table!r}, {name!r})")
            yield Piece(Group.CONTRACT, 4, [drop], [Step(add, "set_default", fill=fill)])
        elif column.nullable or generated:
            yield Piece(Group.EXPAND, 3, [Step(add)], undo)
        else:
            check = Line(f"steps.refuse_without_value({self.table!r}, {name!r})")
            nullable = self.column(column, nullable=True)
            yield Piece(Group.EXPAND, 3, [check, Step(nullable)], undo)
            yield Piece(Group.CONTRACT, 3, [Step(add, "require")], [Step(nullable, "allow_null")])

    def drop(self, drop: ops.DropColumnOp) -> Iterator[Piece]:
        """Yield a removed column, which the new version does not write, and the old one reads.

        A required one gets a default, or may be null if rows with the default could not be stored.
        """
        column = drop.to_column()
        required, nullable = self.column(column), self.column(column, nullable=True)
        again, fill = Step(nullable), zero(column)
        if fill is not None and column.name not in self.restricted:
            again = Step(required, fill=fill)
            undo = Line(f"steps.drop_default({self.table!r}, {column.name!r})")
            yield Piece(Group.EXPAND, 5, [Step(required, "set_default", fill=fill)], [undo])
        elif not column.nullable:
            down = Step(required, "require", fill=fill)
            yield Piece(Group.EXPAND, 5, [Step(nullable, "allow_null")], [down])
        if column.name == "deleted_at":
            check = Line(f"steps.refuse_soft_deleted({self.table!r})")
            yield Piece(Group.CONTRACT, 0, [check], [])
            yield Piece(Group.CONTRACT, 6, [Step(drop)], [again])
        else:
            yield Piece(Group.CONTRACT, 6, [self.deletion(column.name), Step(drop)], [again])

    def deletion(self, name: str) -> Line:
        """Return the comment on a column that is dropped, or the check before it."""
        if name == "deleted_at":
            return Line(f"steps.refuse_soft_deleted({self.table!r})")
        return Line(f"# Deletes the values of {self.table}.{name}.")

    def column(self, column: sa.Column[Any], *, nullable: bool | None = None) -> ops.AddColumnOp:
        """Return the operation that adds a column, which is also how others write a column."""
        copy = sa.Column(
            column.name,
            column.type,
            nullable=column.nullable if nullable is None else nullable,
            server_default=column.server_default,
            comment=column.comment,
        )
        return ops.AddColumnOp(self.table, copy)

    def rename(self, old: sa.Column[Any], new: sa.Column[Any]) -> Piece:
        """Return the change of a column that gets another name, and maybe another type."""
        up, down = Step(self.alteration(old, new)), Step(self.alteration(new, old))
        return self.stop(up, down, old, new)

    def alteration(self, old: sa.Column[Any], new: sa.Column[Any]) -> ops.AlterColumnOp:
        """Return the operation that makes a column another one."""
        retyped = self.context.impl.compare_type(old, new)
        return ops.AlterColumnOp(
            self.table,
            old.name,
            existing_type=old.type,
            existing_nullable=old.nullable,
            modify_name=None if old.name == new.name else new.name,
            modify_type=new.type if retyped else None,
            modify_nullable=None if old.nullable == new.nullable else new.nullable,
        )

    def stop(self, up: Step, down: Step, old: sa.Column[Any], new: sa.Column[Any]) -> Piece:
        """Return a change of a column that neither version can live with on the other side."""
        if old.nullable and not new.nullable:
            up.fill = default(self.table, new)
        elif new.nullable and not old.nullable:
            down.fill = zero(old)
        return Piece(Group.STOP, 1, [up], [down])

    @staticmethod
    def altered(change: ops.AlterColumnOp) -> sa.Column[Any]:
        """Return a column as it is after a change."""
        nullable = change.modify_nullable
        if nullable is None:
            nullable = change.existing_nullable
        type_ = change.modify_type or change.existing_type
        return sa.Column(change.column_name, type_, nullable=nullable)

    def alter(self, change: ops.AlterColumnOp) -> Iterator[Piece]:
        """Yield the change of a type, and the one of whether the column may be null."""
        old: Any = change.existing_type
        new: Any = change.modify_type
        if new is not None and not (values.is_wider(old, new) or values.is_shorter(old, new)):
            before, after = self.altered(change.reverse()), self.altered(change)
            yield self.stop(Step(change), Step(change.reverse()), before, after)
            return
        if new is not None:
            yield self.retype(change, old, new)
        column = self.altered(change)
        required = self.column(column, nullable=False)
        nullable = self.column(column, nullable=True)
        if change.modify_nullable is False:
            fill = default(self.table, required.column)
            up = Step(required, "require", fill=fill)
            yield Piece(Group.CONTRACT, 3, [up], [Step(nullable, "allow_null")])
        elif change.modify_nullable:
            down = Step(required, "require", fill=zero(required.column))
            yield Piece(Group.EXPAND, 5, [Step(nullable, "allow_null")], [down])
        if change.modify_comment is not False or change.modify_server_default is not False:
            other = ops.AlterColumnOp(
                self.table,
                change.column_name,
                existing_type=new or old,
                existing_server_default=change.existing_server_default,
                existing_comment=change.existing_comment,
                modify_server_default=change.modify_server_default,
                modify_comment=change.modify_comment,
            )
            changed = ops.ModifyTableOps(self.table, [other])
            yield Piece(Group.EXPAND, 6, [changed], [changed.reverse()])

    def retype(self, change: ops.AlterColumnOp, old: Type, new: Type) -> Piece:
        """Return a change of a type that leaves the rows as they are."""
        only = ops.AlterColumnOp(
            self.table,
            change.column_name,
            existing_type=old,
            existing_nullable=change.existing_nullable,
            modify_type=new,
        )
        wide, narrow = "widen_column", "narrow_column"
        if values.is_wider(old, new):
            back = Step(only.reverse(), narrow if values.is_shorter(new, old) else None)
            return Piece(Group.EXPAND, 4, [Step(only, wide)], [back])
        return Piece(Group.CONTRACT, 1, [Step(only, narrow)], [Step(only.reverse(), wide)])

    def renamed_indexes(self) -> Iterator[Piece]:
        """Yield the indexes that only follow a column to its new name."""
        for old, before in list(self.dropped.items()):
            key = [self.renames.get(name, name) for name in _key_columns(before)]
            for new, after in list(self.created.items()):
                same = key == _key_columns(after) and bool(before.unique) == bool(after.unique)
                if self.renames and same and _condition(before) == _condition(after):
                    del self.dropped[old], self.created[new]
                    up, down = (
                        Line(f"steps.rename_index({self.table!r}, {one!r}, {other!r})")
                        for one, other in ((old, new), (new, old))
                    )
                    yield Piece(Group.STOP, 2, [up], [down])
                    break

    def create_index(self, index: ops.CreateIndexOp) -> Piece:
        """Return a new index: a unique one when the old version, which may not obey it, is gone."""
        weaker = any(
            other.unique and _key_columns(other) == _key_columns(index) and not _condition(other)
            for other in self.dropped.values()
        )
        after = index.unique and not weaker
        group, rank = (Group.CONTRACT, 3) if after else (Group.ONLINE, 1)
        return Piece(group, rank, [Step(index)], [Step(index.reverse())])

    def drop_index(self, index: ops.CreateIndexOp) -> Piece:
        """Return a dropped index: a unique one before the new version, which does not obey it."""
        if self.renames.keys() & set(_key_columns(index)):
            return Piece(Group.STOP, 0, [index.reverse()], [index])
        stricter = any(
            other.unique and _key_columns(other) == _key_columns(index) and not _condition(other)
            for other in self.created.values()
        )
        before = index.unique and not stricter
        group, rank = (Group.ONLINE, 2) if before else (Group.CONTRACT, 5)
        return Piece(group, rank, [Step(index.reverse())], [Step(index)])

    def constraints(self, rest: list[ops.MigrateOperation]) -> Iterator[Piece]:
        """Yield foreign keys, then what the team declares itself."""
        keys = [one for one in rest if isinstance(one, ops.CreateForeignKeyOp)]
        drops = [one for one in rest if _drops_key(one)]
        for drop in list(drops):
            before: Any = drop.reverse()
            for after in list(keys):
                if self.renames and self.follows(before, after):
                    keys.remove(after)
                    drops.remove(drop)
                    names = before.constraint_name, after.constraint_name
                    up, down = (
                        Line(f"steps.rename_foreign_key({self.table!r}, {one!r}, {other!r})")
                        for one, other in (names, names[::-1])
                    )
                    yield Piece(Group.STOP, 3, [up], [down])
        for drop in drops:
            before = drop.reverse()
            if self.renames.keys() & set(before.local_cols):
                changed = ops.ModifyTableOps(self.table, [drop])
                yield Piece(Group.STOP, 0, [changed], [changed.reverse()])
            else:
                yield Piece(Group.ONLINE, 0, [Step(drop)], [Step(before)])
        for key in keys:
            yield Piece(Group.ONLINE, 1, [Step(key)], [Step(key.reverse())])
        for one in rest:
            if not isinstance(one, ops.CreateForeignKeyOp) and not _drops_key(one):
                changed = ops.ModifyTableOps(self.table, [one])
                tightens = isinstance(one, ops.AddConstraintOp)
                group, rank = (Group.CONTRACT, 2) if tightens else (Group.EXPAND, 6)
                yield Piece(group, rank, [changed], [changed.reverse()])

    def follows(self, before: Any, after: ops.CreateForeignKeyOp) -> bool:
        """Return whether a foreign key only follows its column to a new name."""
        columns = [self.renames.get(name, name) for name in before.local_cols]
        return (
            columns == list(after.local_cols)
            and before.referent_table == after.referent_table
            and list(before.remote_cols) == list(after.remote_cols)
            and before.kw.get("ondelete") == after.kw.get("ondelete")
        )


def _drops_key(one: ops.MigrateOperation) -> bool:
    return isinstance(one, ops.DropConstraintOp) and one.constraint_type == "foreignkey"
