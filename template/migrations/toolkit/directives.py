"""What `make migration` writes: the operations that autogenerate finds, as revisions that keep rows.

A change can need several revisions, because two versions of the service use the tables during a
deployment (see `docs/migrations.md`): what the new version needs comes before it is started, what
the old version could not live with comes after it is gone.
"""

from collections.abc import Iterable, Iterator

from alembic.operations import ops
from alembic.runtime.migration import MigrationContext

from migrations.toolkit.groups import Group, Piece
from migrations.toolkit.pieces import pieces
from migrations.toolkit.rendering import Line, Step
from migrations.toolkit.unsupported import check_supported

# Functions of `steps` that commit on PostgreSQL.
COMMITTING = {
    "create_foreign_key",
    "create_index",
    "drop_index",
    "narrow_column",
    "require",
}
SEVERAL_TRANSACTIONS = (
    "# Several transactions, so that others can write meanwhile. Each step can be repeated."
)
STOP = "# Stop the service for this revision, or make two releases: docs/migrations.md."
SUFFIXES = {
    Group.EXPAND: "",
    Group.STOP: ", during a stop",
    Group.ONLINE: ", indexes and references",
    Group.CONTRACT: ", after the old version",
}


def process_revision_directives(
    context: MigrationContext, _revision: object, scripts: list[ops.MigrationScript]
) -> None:
    """Replace a revision by those that keep rows and let the service go on."""
    [script] = scripts
    # `alembic check` writes nothing, and prints the operations itself.
    if script.upgrade_ops is None or script.message is None or script.upgrade_ops.is_empty():
        return
    check_supported(script.upgrade_ops.ops)
    groups: dict[Group, list[Piece]] = {}
    for piece in sorted(pieces(context, script.upgrade_ops.ops), key=lambda piece: piece.order):
        groups.setdefault(piece.group, []).append(piece)
    names = list(_names(script, list(groups)))
    phases = context.config.attributes.setdefault("phases", {}) if context.config else {}
    scripts[:] = [
        _script(script, found, name, parent)
        for found, name, parent in zip(
            groups.values(), names, [script.head, *(name for name, _ in names)], strict=False
        )
    ]
    phases.update({name: group.phase for (name, _), group in zip(names, groups, strict=True)})


def _names(script: ops.MigrationScript, groups: list[Group]) -> Iterator[tuple[str, str]]:
    """Yield the id and the message of each revision; the ids sort in their order."""
    for number, group in enumerate(groups, 1):
        suffix = SUFFIXES[group] if len(groups) > 1 else ""
        name = script.rev_id or ""
        yield f"{name}{number}" if len(groups) > 1 else name, f"{script.message}{suffix}"


def _script(
    script: ops.MigrationScript, found: list[Piece], name: tuple[str, str], parent: str | None
) -> ops.MigrationScript:
    """Return the revision of some pieces; the downgrade undoes them in the reverse order."""
    revision, message = name
    ups = [operation for piece in found for operation in piece.up]
    downs = [operation for piece in reversed(found) for operation in piece.down]
    return ops.MigrationScript(
        revision,
        ops.UpgradeOps([*_remarks(found[0].group, ups), *ups]),
        ops.DowngradeOps([*_remarks(None, downs), *downs]),
        message=message,
        head=parent,
        splice=script.splice,
        branch_label=script.branch_label,
        version_path=script.version_path,
        depends_on=script.depends_on,
    )


def _remarks(
    group: Group | None, operations: Iterable[ops.MigrateOperation]
) -> Iterator[ops.MigrateOperation]:
    """Yield comments about how a revision is applied."""
    if group is Group.STOP:
        yield Line(STOP)
    if any(_commits(operation) for operation in operations):
        yield Line(SEVERAL_TRANSACTIONS)


def _commits(operation: ops.MigrateOperation) -> bool:
    return isinstance(operation, Step) and operation.name in COMMITTING
