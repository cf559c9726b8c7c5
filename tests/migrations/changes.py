"""The table of changed answers, with rows before and after the migration."""

import os
from dataclasses import dataclass, field
from typing import Any

from tests.migrations.rows import Rows
from tests.support.updating import NEWEST
from tools.release import released


@dataclass(frozen=True)
class Change:
    """A changed answer; `after` and `back` are the rows after the upgrade and the downgrade."""

    old: dict[str, Any]
    new: dict[str, Any]
    rows: dict[str, Rows]
    after: dict[str, Rows] = field(default_factory=dict)
    back: dict[str, Rows] = field(default_factory=dict)
    # Part of the error, if `make migration` or `make migrate` rejects the change.
    creation_error: str = ""
    upgrade_error: str = ""
    # The comments of the revision about deleted data.
    loses: tuple[str, ...] = ()
    # No revision is needed.
    unchanged: bool = False

    def __post_init__(self) -> None:
        """Check that the new answers repeat the old ones, because an update keeps the others."""
        assert self.old.keys() <= self.new.keys(), self.old.keys() - self.new.keys()


def fields(**specs: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return answers with a title and further fields."""
    return {"fields": {"title": {"type": "str", "max_length": 50}, **specs}}


TASKS: dict[str, Rows] = {"tasks": [{"title": "one"}, {"title": "two"}]}


def tasks(*values: Any, name: str = "value") -> dict[str, Rows]:  # noqa: ANN401
    """Return rows of tasks with one value each."""
    titles = ("one", "two", "three")
    return {
        "tasks": [
            {"title": title, name: value} for title, value in zip(titles, values, strict=False)
        ]
    }


def retyped(old: Any, new: Any, before: list[Any], after: list[Any]) -> Change:  # noqa: ANN401
    """Return a change of a field's type."""
    return Change(fields(value=old), fields(value=new), tasks(*before), tasks(*after), tasks())


NULLABLE = {"type": "str", "required": False}

CHANGES: dict[str, Change] = {
    "field-added-nullable": Change(
        fields(), fields(value=NULLABLE), TASKS, tasks(None, None), TASKS
    ),
    "field-added-with-default": Change(
        fields(), fields(value={"type": "int", "default": 7}), TASKS, tasks(7, 7), TASKS
    ),
    "field-added-enum": Change(
        fields(),
        fields(
            value={"type": "enum", "choices": ["low", 'it\'s "high"'], "default": 'it\'s "high"'}
        ),
        TASKS,
        tasks('it\'s "high"', 'it\'s "high"'),
        TASKS,
    ),
    "field-added-decimal": Change(
        fields(),
        fields(value={"type": "decimal", "default": "1.50"}),
        TASKS,
        tasks("1.50", "1.50"),
        TASKS,
    ),
    "field-added-list": Change(
        fields(),
        fields(value={"type": "list", "default": ["a"]}),
        TASKS,
        tasks(["a"], ["a"]),
        TASKS,
    ),
    "field-added-datetime": Change(
        fields(),
        fields(value={"type": "datetime", "default": "2030-01-01T02:00:00+02:00"}),
        TASKS,
        tasks("2030-01-01 00:00:00+00:00", "2030-01-01 00:00:00+00:00"),
        TASKS,
    ),
    "field-added-required": Change(
        fields(),
        fields(value="str"),
        TASKS,
        upgrade_error="tasks.value is required and has no default",
    ),
    "field-added-required-no-rows": Change(
        fields(), fields(value="str"), {"tasks": []}, {"tasks": []}
    ),
    "field-removed": Change(
        fields(value="str"),
        fields(),
        tasks("x", "y"),
        TASKS,
        tasks("", ""),
        loses=("Deletes the values of tasks.value.",),
    ),
    "field-removed-nullable": Change(
        fields(value=NULLABLE),
        fields(),
        tasks("x", None),
        TASKS,
        tasks(None, None),
        loses=("Deletes the values of tasks.value.",),
    ),
    "field-removed-unique-with-soft-deleted": Change(
        {**fields(value={"type": "str", "unique": True}), "soft_delete": True},
        {**fields(), "soft_delete": True},
        {
            "tasks": [
                {"title": "one", "value": "x"},
                {"title": "two", "value": "y", "deleted_at": "2026-01-01T00:00:00Z"},
            ]
        },
        TASKS,
        tasks("", ""),
        loses=("Deletes the values of tasks.value.",),
    ),
    "field-removed-float": Change(
        fields(value="float"),
        fields(),
        tasks(1.5, 2.0),
        TASKS,
        tasks(0.0, 0.0),
        loses=("Deletes the values of tasks.value.",),
    ),
    "field-renamed": Change(
        fields(value="str"),
        fields(worth={"type": "str", "renamed_from": "value"}),
        tasks("x", "y"),
        tasks("x", "y", name="worth"),
        tasks("x", "y"),
    ),
    "field-renamed-and-retyped": Change(
        fields(value={"type": "int", "unique": True}),
        fields(worth={"type": "str", "renamed_from": "value", "index": True}),
        tasks(1, 2),
        tasks("1", "2", name="worth"),
    ),
    "int-to-float": retyped("int", "float", [1, -2], [1.0, -2.0]),
    "int-to-str": retyped("int", "str", [1, -2], ["1", "-2"]),
    "int-to-decimal": retyped("int", "decimal", [1, -2], ["1.00", "-2.00"]),
    "float-to-decimal": retyped(
        "float", {"type": "decimal", "decimal_places": 1}, [1.5, -2.5], ["1.5", "-2.5"]
    ),
    "decimal-to-str": retyped("decimal", "str", ["1.50", "-0.05"], ["1.50", "-0.05"]),
    "decimal-finer": retyped(
        "decimal",
        {"type": "decimal", "decimal_places": 4},
        ["1.50", "-0.05"],
        ["1.5000", "-0.0500"],
    ),
    "bool-to-str": retyped("bool", "str", [True, False], ["true", "false"]),
    "bool-to-str-nullable": Change(
        fields(value={"type": "bool", "required": False}),
        fields(value=NULLABLE),
        tasks(True, None),
        tasks("true", None),
        tasks(True, None),
    ),
    "uuid-to-str": retyped(
        "uuid",
        "str",
        ["01890000-0000-7000-8000-00000000000a"],
        ["01890000-0000-7000-8000-00000000000a"],
    ),
    "date-to-datetime": retyped("date", "datetime", ["2030-01-31"], ["2030-01-31 00:00:00+00:00"]),
    "str-to-text": retyped("str", "text", ["x", "y"], ["x", "y"]),
    "str-longer": retyped(
        {"type": "str", "max_length": 5}, {"type": "str", "max_length": 9}, ["x"], ["x"]
    ),
    "str-shorter": retyped(
        {"type": "str", "max_length": 9}, {"type": "str", "max_length": 5}, ["12345"], ["12345"]
    ),
    "str-shorter-than-values": Change(
        fields(value={"type": "str", "max_length": 9}),
        fields(value={"type": "str", "max_length": 5}),
        tasks("123456"),
        upgrade_error="tasks.value is limited to 5 characters",
    ),
    "decimal-coarser-than-values": Change(
        fields(value="decimal"),
        fields(value={"type": "decimal", "decimal_places": 1}),
        tasks("1.25"),
        upgrade_error="more decimal places than it will keep",
    ),
    "str-to-int": retyped("str", "int", ["1", "-2"], [1, -2]),
    "str-to-decimal": retyped("str", "decimal", ["1.5", "150", "-2"], ["1.50", "150.00", "-2.00"]),
    "str-to-decimal-too-fine": Change(
        fields(value="str"),
        fields(value="decimal"),
        tasks("1.555"),
        upgrade_error="tasks.value has strings that are not a valid decimal",
    ),
    "datetime-to-date": retyped("datetime", "date", ["2030-01-31T00:00:00Z"], ["2030-01-31"]),
    "json-to-str": Change(
        fields(value="json"),
        fields(value="str"),
        tasks({"a": 1}),
        upgrade_error="cannot be converted to",
    ),
    "str-to-int-unreadable": Change(
        fields(value="str"),
        fields(value="int"),
        tasks("x"),
        upgrade_error="tasks.value has strings that are not a valid integer",
    ),
    "required-to-nullable": Change(
        fields(value="str"),
        fields(value=NULLABLE),
        tasks("x", "y"),
        tasks("x", "y"),
        tasks("x", "y"),
    ),
    "nullable-to-required": Change(
        fields(value=NULLABLE),
        fields(value="str"),
        tasks("x", "y"),
        tasks("x", "y"),
        tasks("x", "y"),
    ),
    "nullable-to-required-with-default": Change(
        fields(value=NULLABLE),
        fields(value={"type": "str", "default": "new"}),
        tasks("x", None),
        tasks("x", "new"),
        tasks("x", "new"),
    ),
    "nullable-to-required-with-nulls": Change(
        fields(value=NULLABLE),
        fields(value="str"),
        tasks("x", None),
        upgrade_error="tasks.value becomes required",
    ),
    "unique-on": Change(
        fields(value="str"),
        fields(value={"type": "str", "unique": True}),
        tasks("x", "y"),
        tasks("x", "y"),
        tasks("x", "y"),
    ),
    "unique-on-with-duplicates": Change(
        fields(value="str"),
        fields(value={"type": "str", "unique": True}),
        tasks("x", "x"),
        upgrade_error="must be unique",
    ),
    "unique-off": Change(
        fields(value={"type": "str", "unique": True}),
        fields(value="str"),
        tasks("x", "y"),
        tasks("x", "y"),
    ),
    "index-on": Change(
        fields(value="str"), fields(value={"type": "str", "index": True}), tasks("x"), tasks("x")
    ),
    "index-off": Change(
        fields(value={"type": "str", "index": True}), fields(value="str"), tasks("x"), tasks("x")
    ),
    "choices-changed": Change(
        fields(value={"type": "enum", "choices": ["a", "b"]}),
        fields(value={"type": "enum", "choices": ["b", "c"]}),
        tasks("a"),
        unchanged=True,
    ),
    "default-changed": Change(
        fields(value={"type": "int", "default": 1}),
        fields(value={"type": "int", "default": 2}),
        tasks(1),
        unchanged=True,
    ),
    "api-changed": Change(
        fields(),
        {
            **fields(),
            "pagination": "cursor",
            "route_scope": "path",
            "error_format": "envelope",
            "update_method": "put",
        },
        TASKS,
        unchanged=True,
    ),
    "reference-added": Change(
        {**fields(), "more_resources": [{"name": "project", "fields": {"name": "str"}}]},
        {
            **fields(
                project={
                    "type": "reference",
                    "to": "project",
                    "required": False,
                    "on_delete": "set_null",
                }
            ),
            "more_resources": [{"name": "project", "fields": {"name": "str"}}],
        },
        {"projects": [{"name": "p"}], **TASKS},
        tasks(None, None, name="project_id"),
        TASKS,
    ),
    "reference-removed": Change(
        {
            **fields(project={"type": "reference", "to": "project", "required": False}),
            "more_resources": [{"name": "project", "fields": {"name": "str"}}],
        },
        {**fields(), "more_resources": [{"name": "project", "fields": {"name": "str"}}]},
        {"projects": [{"name": "p"}], **TASKS},
        TASKS,
        tasks(None, None, name="project_id"),
        loses=("Deletes the values of tasks.project_id.",),
    ),
    "resource-added": Change(
        fields(),
        {
            **fields(
                project={"type": "reference", "to": "project", "required": False},
                label={"type": "references", "to": "label"},
            ),
            "more_resources": [
                {"name": "project", "fields": {"name": {"type": "str", "unique": True}}},
                {"name": "label", "user_scoped": False, "fields": {"name": "str"}},
            ],
        },
        TASKS,
        {"projects": [], "labels": [], "tasks_labels": [], **tasks(None, None, name="project_id")},
        TASKS,
    ),
    "resource-removed": Change(
        {
            **fields(project={"type": "reference", "to": "project", "required": False}),
            "more_resources": [{"name": "project", "fields": {"name": "str"}}],
        },
        {**fields(), "more_resources": []},
        {"projects": [{"name": "p"}], **TASKS},
        TASKS,
        {"projects": []},
        loses=(
            "Deletes the table projects and all its rows.",
            "Deletes the values of tasks.project_id.",
        ),
    ),
    "resources-and-relations-removed": Change(
        {
            **fields(
                project={"type": "reference", "to": "project", "required": False},
                label={"type": "references", "to": "label"},
            ),
            "more_resources": [
                {"name": "label", "fields": {"name": "str"}},
                {
                    "name": "project",
                    "fields": {"name": "str", "label": {"type": "references", "to": "label"}},
                },
            ],
        },
        {**fields(), "more_resources": []},
        {"labels": [{"name": "l"}], "projects": [{"name": "p"}], **TASKS},
        TASKS,
        {"labels": [], "projects": [], "projects_labels": [], "tasks_labels": [], **TASKS},
        loses=(
            "Deletes the table labels and all its rows.",
            "Deletes the table projects and all its rows.",
            "Deletes the table projects_labels and all its rows.",
            "Deletes the table tasks_labels and all its rows.",
            "Deletes the values of tasks.project_id.",
        ),
    ),
    "resources-in-a-cycle-removed": Change(
        {
            **fields(),
            "more_resources": [
                {
                    "name": "door",
                    "fields": {
                        "name": "str",
                        "key": {"type": "reference", "to": "key", "required": False},
                    },
                },
                {
                    "name": "key",
                    "fields": {
                        "name": "str",
                        "door": {"type": "reference", "to": "door", "required": False},
                    },
                },
            ],
        },
        {**fields(), "more_resources": []},
        {"doors": [{"name": "d"}], "keys": [{"name": "k"}], **TASKS},
        TASKS,
        {"doors": [], "keys": [], **TASKS},
        loses=(
            "Deletes the table doors and all its rows.",
            "Deletes the table keys and all its rows.",
        ),
    ),
    "resource-renamed": Change(
        {**fields(), "more_resources": [{"name": "project", "fields": {"name": "str"}}]},
        {**fields(), "more_resources": [{"name": "topic", "fields": {"name": "str"}}]},
        {"projects": [{"name": "p"}], **TASKS},
        {"topics": [], **TASKS},
        {"projects": [], **TASKS},
        loses=("Deletes the table projects and all its rows.",),
    ),
    "soft-delete-on": Change(
        fields(value={"type": "str", "unique": True}),
        {**fields(value={"type": "str", "unique": True}), "soft_delete": True},
        tasks("x", "y"),
        tasks(None, None, name="deleted_at"),
        tasks("x", "y"),
    ),
    "soft-delete-off": Change(
        {**fields(), "soft_delete": True},
        {**fields(), "soft_delete": False},
        TASKS,
        TASKS,
        tasks(None, None, name="deleted_at"),
    ),
    "soft-delete-off-with-soft-deleted": Change(
        {**fields(), "soft_delete": True},
        {**fields(), "soft_delete": False},
        {"tasks": [{"title": "one", "deleted_at": "2026-01-01T00:00:00Z"}]},
        upgrade_error="tasks has soft-deleted rows",
    ),
    "idempotency-on": Change(fields(), {**fields(), "idempotency": True}, TASKS, TASKS, TASKS),
    "idempotency-off": Change(
        {**fields(), "idempotency": True},
        {**fields(), "idempotency": False},
        TASKS,
        TASKS,
        TASKS,
        loses=("Deletes the table idempotency_keys and all its rows.",),
    ),
    "mail-on": Change(fields(), {**fields(), "mail": True}, TASKS, TASKS, TASKS),
    "mail-off": Change(
        {**fields(), "mail": True},
        {**fields(), "mail": False},
        TASKS,
        TASKS,
        TASKS,
        loses=(
            "Deletes the table email_tokens and all its rows.",
            "Deletes the table outgoing_mails and all its rows.",
            "Deletes the values of users.email_verified.",
        ),
    ),
    "timestamps-on": Change(
        {**fields(), "timestamps": False}, {**fields(), "timestamps": True}, TASKS, TASKS, TASKS
    ),
    "timestamps-off": Change(
        fields(),
        {**fields(), "timestamps": False},
        TASKS,
        TASKS,
        TASKS,
        loses=(
            "Deletes the values of tasks.created_at.",
            "Deletes the values of tasks.updated_at.",
        ),
    ),
    "id-type": Change(
        fields(),
        {**fields(), "id_type": "int", "user_id_type": "int"},
        TASKS,
        creation_error="id_type",
    ),
    "user-id-type": Change(
        fields(), {**fields(), "user_id_type": "int"}, TASKS, creation_error="user_id_type"
    ),
    "auth": Change(fields(), {**fields(), "auth": "external"}, TASKS, creation_error="auth"),
    "owner": Change(
        fields(), {**fields(), "user_scoped": False}, TASKS, creation_error="user_scoped"
    ),
}

# Most kinds of steps once, beside those of test_rolling.py and test_sql.py; `make test-updates` and
# the nightly run test all changes.
SLICE = (
    "field-added-decimal",
    "field-added-required",
    "field-renamed-and-retyped",
    "str-to-int",
    "unique-on-with-duplicates",
    "index-on",
    "reference-removed",
    "resources-in-a-cycle-removed",
    "soft-delete-off",
    "timestamps-on",
    "id-type",
)
# Those whose old answers no released version knows.
UNRELEASED = {"idempotency-off", "mail-off"}
ALL = os.environ.get("TEST_CHANGES") == "all"
# Pairs of a change and the version that the project is rendered from.
TESTED = [
    (name, version)
    for version in (NEWEST, *(released() if ALL else ()))
    for name in (CHANGES if ALL else SLICE)
    if version == NEWEST or name not in UNRELEASED
]
