"""Answers that must be refused, each with what the message has to say.

A case is (answers, words): every word has to occur in the message.
"""

from datetime import date, datetime
from typing import Any

Case = tuple[dict[str, Any], tuple[str, ...]]


def field(name: str = "title", /, **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    """The answers with one field."""
    return {"fields": {name: spec}}


def named(*names: str) -> list[Case]:
    """One case for each field name."""
    return [({"fields": {name: "str"}}, (f"fields.{name}", "reserved")) for name in names]


# The first check: what Copier would ignore, or answer with a traceback.
GIVEN: list[Case] = [
    ({"resource_nam": "task"}, ("there is no question", '"resource_nam"')),
    ({"Fields": {}}, ('"Fields"',)),
    ({"first_check": "x"}, ('"first_check"',)),
    ({"first_check": "x", "last_check": "x", "resource_name": "7"}, ('"last_check"',)),
    ({"resources": []}, ('"resources"',)),
    ({"features": {}}, ('"features"',)),
    ({"id_type": "UUID"}, ("id_type", '"UUID"', "uuid, int")),
    ({"route_scope": "header"}, ("route_scope", '"header"', "token, path")),
    ({"foreign_access": 404}, ("foreign_access", "not_found, forbidden")),
    ({"auth": "none"}, ("auth", '"none"', "local, external")),
    ({"user_scoped": "maybe"}, ("user_scoped", '"maybe"', "true")),
    ({"id_type": "bigint", "auth": "none"}, ("2 wrong", '"bigint"', '"none"')),
    ({"pagination": True}, ("pagination", "page, cursor, list")),
    ({"update_method": ["patch"]}, ("update_method",)),
    ({"error_format": None}, ("error_format",)),
    ({"timestamps": "maybe"}, ("timestamps", "neither true nor false")),
    ({"soft_delete": 2}, ("soft_delete",)),
    ({"operations": "stats"}, ("operations", "complete, stats, bulk, search")),
    ({"operations": ["stats", "export"]}, ("operations",)),
    ({"operations": {"stats": True}}, ("operations",)),
    ({"operations": None}, ("operations",)),
    ({"project_name": True}, ("project_name", "quote it")),
    ({"project_name": 2024}, ("project_name", "quote it")),
    ({"project_name": None}, ("project_name", "quote it")),
    ({"project_description": date(2024, 1, 1)}, ("project_description", "quote it")),
    ({"resource_name": False}, ("resource_name", "quote it")),
    ({"fields": None}, ("fields", "mapping")),
    ({"more_resources": False}, ("more_resources", "list")),
]

TEXTS: list[Case] = [
    ({"project_name": ""}, ("project_name", "blank")),
    ({"project_name": "   "}, ("project_name", "blank")),
    ({"project_name": "x" * 81}, ("project_name", "81", "80")),
    ({"project_name": "a\nb"}, ("project_name", "control character")),
    ({"project_name": "a\0b"}, ("project_name", "control character")),
    ({"project_name": "a\x85b"}, ("project_name", "control character")),
    ({"project_name": "a\u2028b"}, ("project_name", "line break")),
    ({"project_name": "a\ud800b"}, ("project_name", "control character")),
    ({"project_description": "a\u202eb"}, ("project_description", "invisible mark")),
    ({"project_description": "a\u2066b"}, ("project_description", "invisible mark")),
    ({"project_description": "\x1b[31mred"}, ("project_description", "control character")),
    ({"project_description": "x" * 301}, ("project_description", "300")),
    ({"project_slug": "Todo"}, ("project_slug", '"Todo"')),
    ({"project_slug": "1st"}, ("project_slug",)),
    ({"project_slug": "a_b"}, ("project_slug",)),
    ({"project_slug": "todo-"}, ("project_slug", "hyphen")),
    ({"project_slug": "todo\n"}, ("project_slug",)),
    ({"project_slug": ""}, ("project_slug",)),
    ({"project_slug": "fastapi"}, ("project_slug", "package")),
    ({"project_slug": "a" * 61}, ("project_slug", "60")),
    ({"api_prefix": ""}, ("api_prefix",)),
    ({"api_prefix": "/"}, ("api_prefix",)),
    ({"api_prefix": "api"}, ("api_prefix", "/api/v1")),
    ({"api_prefix": "/api/"}, ("api_prefix", "slash")),
    ({"api_prefix": "/api//v1"}, ("api_prefix",)),
    ({"api_prefix": "/{user_id}"}, ("api_prefix",)),
    ({"api_prefix": "/api/../x"}, ("api_prefix",)),
    ({"api_prefix": "/a b"}, ("api_prefix",)),
    ({"api_prefix": "/é"}, ("api_prefix",)),
    ({"api_prefix": "/docs"}, ("api_prefix", "fixed route")),
    ({"api_prefix": "/" + "a" * 60}, ("api_prefix", "60")),
]

RESOURCES: list[Case] = [
    ({"resource_name": "Task"}, ("resource_name", "snake_case")),
    ({"resource_name": "work-item"}, ("resource_name", "snake_case")),
    ({"resource_name": "work item"}, ("resource_name", "snake_case")),
    ({"resource_name": "_task"}, ("resource_name", "snake_case")),
    ({"resource_name": "task_"}, ("resource_name", "snake_case")),
    ({"resource_name": "work__item"}, ("resource_name", "snake_case")),
    ({"resource_name": "2do"}, ("resource_name", "snake_case")),
    ({"resource_name": "tâche"}, ("resource_name", "snake_case")),
    ({"resource_name": "task\n"}, ("resource_name", "snake_case")),
    ({"resource_name": ""}, ("resource_name", "snake_case")),
    ({"resource_name": "class"}, ("resource_name", "reserved")),
    ({"resource_name": "user"}, ("resource_name", "reserved")),
    ({"resource_name": "session"}, ("resource_name", "reserved")),
    ({"resource_name": "auth"}, ("resource_name", "reserved")),
    ({"resource_name": "health"}, ("resource_name", "reserved")),
    ({"resource_name": "field"}, ("resource_name", "reserved")),
    ({"resource_name": "list"}, ("resource_name", "reserved")),
    ({"resource_name": "dataclass"}, ("resource_name", "reserved")),
    ({"resource_name": "key_error"}, ("resource_name", "reserved")),
    ({"resource_name": "exception"}, ("resource_name", "reserved")),
    ({"resource_name": "a" * 41}, ("resource_name", "41", "40")),
    ({"resource_name": "task", "resource_plural": "auth"}, ("resource_plural", "reserved")),
    ({"resource_name": "task", "resource_plural": "stats"}, ("resource_plural", "reserved")),
    ({"resource_name": "task", "resource_plural": "search"}, ("resource_plural", "reserved")),
    ({"resource_name": "task", "resource_plural": "bulk"}, ("resource_plural", "reserved")),
    ({"resource_name": "member", "resource_plural": "users"}, ("resource_plural", "reserved")),
    ({"resource_name": "stat"}, ("resource_plural", '"stats"', "reserved")),
    ({"resource_plural": "nothing"}, ("resource_plural", "reserved")),
    ({"resource_plural": "pg_tasks"}, ("resource_plural", "reserved")),
    ({"resource_plural": "sqlite_tasks"}, ("resource_plural", "reserved")),
    ({"resource_plural": "task"}, ("resource_plural", "singular")),
    ({"resource_plural": "to-dos"}, ("resource_plural", "snake_case")),
    ({"resource_plural": "t" * 39}, ("resource_plural", "39", "38")),
]

FIELD_NAMES: list[Case] = [
    *named("class", "from", "import", "async", "lambda", "none"),
    *named("json", "copy", "dict", "schema", "validate", "construct", "metadata", "registry"),
    *named("model_config", "model_dump", "model_anything", "sqlmodel_update"),
    *named("str", "int", "date", "datetime", "list"),
    *named("id", "user_id", "created_at", "updated_at", "deleted_at", "xmin", "ctid"),
    *named("page", "page_size", "limit", "offset", "cursor", "sort", "query", "created_at_gte"),
    *named("id_1", "user_id_2", "self"),
    *named("nothing", "returning", "lateral", "collation", "concurrently", "tablesample"),
    ({"fields": {"Title": "str"}}, ("fields.Title", "snake_case")),
    ({"fields": {"due-date": "date"}}, ("fields.due-date", "snake_case")),
    ({"fields": {"due__date": "date"}}, ("snake_case",)),
    ({"fields": {"_private": "str"}}, ("snake_case",)),
    ({"fields": {"naïve": "str"}}, ("snake_case",)),
    ({"fields": {"a" * 41: "str"}}, ("41", "40")),
    ({"fields": {True: "str"}}, ("fields.True", "quote it")),
    ({"fields": {7: "str"}}, ("fields.7", "quote it")),
    ({"fields": {date(2024, 1, 1): "str"}}, ("2024-01-01", "quote it")),
    ({"fields": {"due": "date", "due_gte": "str"}}, ("fields.due_gte", "filter of due")),
    ({"fields": {"n_lte": "int", "n": "int"}}, ("fields.n_lte", "filter of n")),
    ({"fields": {"a_is_null": "bool", "a": "text"}}, ("fields.a_is_null", "filter of a")),
    (
        {
            "fields": {
                "parent_id_is_null": "bool",
                "parent": {"type": "reference", "to": "task", "required": False},
            }
        },
        ("fields.parent_id_is_null", "filter of parent"),
    ),
    (
        field("a" * 35, type="str", unique=True),
        ("uq_tasks_user_id_" + "a" * 35 + "_not_deleted", "63"),
    ),
    (
        {
            "resource_plural": "t" * 38,
            "fields": {"due_date_12345": {"type": "date", "index": True}},
        },
        ("fields.due_date_12345", "63"),
    ),
]

SHAPES: list[Case] = [
    ({"fields": {}}, ("fields", "empty")),
    ({"fields": []}, ("fields", "mapping")),
    ({"fields": "title"}, ("fields", "mapping")),
    ({"fields": {f"f{n}": "str" for n in range(61)}}, ("fields", "61", "60")),
    ({"fields": {"title": None}}, ("fields.title", "neither a type nor a mapping")),
    ({"fields": {"title": ["str"]}}, ("fields.title",)),
    ({"fields": {"title": {}}}, ("fields.title.type", "missing")),
    ({"fields": {"title": "string"}}, ("fields.title.type", '"string"', "str, text")),
    ({"fields": {"title": {"type": "varchar", "max_length": 3}}}, ("fields.title.type",)),
    ({"fields": {"title": {"type": ["str"]}}}, ("fields.title.type",)),
    (field(type="str", max_lenght=3), ("fields.title", '"max_lenght"', "max_length")),
    (field(type="int", max_length=3), ("fields.title", '"max_length"')),
    (field(type="bool", choices=["a"]), ('"choices"',)),
    (field(type="str", ge=1), ('"ge"',)),
    (field(type="int", max_digits=3), ('"max_digits"',)),
    (field(type="str", future=True), ('"future"',)),
    (field(type="str", to="task"), ('"to"',)),
    (field(type="str", required="no"), ("fields.title.required", "neither true nor false")),
    (field(type="str", unique=1), ("fields.title.unique",)),
    (field(type="str", index="yes"), ("fields.title.index",)),
    (field(type="date", future="soon"), ("fields.title.future",)),
    (field(type="str", description=7), ("fields.title.description", "quote it")),
    (field(type="str", description="a\tb"), ("fields.title.description", "control")),
    (field(type="str", description="x" * 201), ("fields.title.description", "200")),
    (field(type="str", renamed_from="Old"), ("fields.title.renamed_from", "snake_case")),
    (field(type="str", renamed_from="title"), ("fields.title.renamed_from", "still a field")),
    (
        {"fields": {"a": {"type": "str", "renamed_from": "b"}, "b": "str"}},
        ("fields.a.renamed_from", "still a field"),
    ),
    (
        {"fields": {n: {"type": "str", "renamed_from": "c"} for n in "ab"}},
        ("fields.b.renamed_from", "former name of a"),
    ),
]

OPTIONS: list[Case] = [
    (field(type="str", max_length=0), ("fields.title.max_length",)),
    (field(type="str", max_length="9"), ("fields.title.max_length", "integer")),
    (field(type="str", max_length=True), ("fields.title.max_length",)),
    (field(type="str", max_length=2**31), ("fields.title.max_length",)),
    (field(type="str", min_length=-1), ("fields.title.min_length",)),
    (field(type="str", min_length=9, max_length=8), ("fields.title.min_length", "8")),
    (field(type="str", min_length=256), ("fields.title.min_length", "255")),
    (field(type="email", max_length=5), ("fields.title.max_length",)),
    (field(type="int", ge=1.5), ("fields.title.ge", "32 bits")),
    (field(type="int", ge="1"), ("fields.title.ge",)),
    (field(type="int", le=2**31), ("fields.title.le", "32 bits")),
    (field(type="int", ge=2, le=1), ("fields.title", "no value")),
    (field(type="int", gt=1, lt=2), ("fields.title", "no value")),
    (field(type="int", ge=1, gt=1), ("fields.title", "both ge and gt")),
    (field(type="int", gt=2**31 - 1), ("fields.title",)),
    (field(type="float", ge=float("inf")), ("fields.title.ge", "finite")),
    (field(type="float", le=float("nan")), ("fields.title.le", "finite")),
    (field(type="float", gt=1, lt=1), ("no value",)),
    (field(type="decimal", max_digits=19), ("fields.title.max_digits", "18")),
    (field(type="decimal", max_digits=0), ("fields.title.max_digits",)),
    (field(type="decimal", max_digits=3, decimal_places=4), ("fields.title.decimal_places",)),
    (field(type="decimal", max_digits=1), ("fields.title.decimal_places", "2 unless given")),
    (field(type="decimal", decimal_places=-1), ("fields.title.decimal_places",)),
    (field(type="decimal", ge="abc"), ("fields.title.ge", "decimal")),
    (field(type="decimal", gt=0, lt="0.01"), ("no value",)),
    (field(type="decimal", max_digits=3, decimal_places=0, ge=1000), ("fields.title.ge", "3")),
    (field(type="decimal", max_digits=1, decimal_places=0, lt=-9), ("fields.title.lt", "no value")),
    (field(type="float", gt=0, le=5e-324), ("fields.title", "no value")),
    (field(type="text", min_length=10001), ("fields.title.min_length", "10000")),
    (field(type="list", max_items=0), ("fields.title.max_items",)),
    (field(type="enum"), ("fields.title.choices", "missing")),
    (field(type="enum", choices=[]), ("fields.title.choices", "empty")),
    (field(type="enum", choices="low"), ("fields.title.choices", "list")),
    (field(type="enum", choices={"low": 1}), ("fields.title.choices", "list")),
    (field(type="enum", choices=["a", "b", "a"]), ("fields.title.choices", '"a"', "once")),
    (field(type="enum", choices=[True, "no"]), ("fields.title.choices", "quote it")),
    (field(type="enum", choices=[1, 2]), ("fields.title.choices", "quote it")),
    (field(type="enum", choices=[date(2024, 1, 1)]), ("2024-01-01", "quote it")),
    (field(type="enum", choices=["a", None]), ("quote it",)),
    (field(type="enum", choices=["a\nb"]), ("control character",)),
    (field(type="enum", choices=["", "a"]), ("blank",)),
    (field(type="enum", choices=["x" * 101]), ("100",)),
    (field(type="enum", choices=[f"c{n}" for n in range(51)]), ("51", "50")),
]

DEFAULTS: list[Case] = [
    (field(type="str", default=None), ("fields.title.default", "required: false")),
    (field(type="str", default=5), ("fields.title.default", "quote it")),
    (field(type="str", default=True), ("fields.title.default", "quote it")),
    (field(type="str", default=date(2024, 1, 1)), ("fields.title.default", "quote it")),
    (field(type="str", default="long", max_length=3), ("fields.title.default", "max_length")),
    (field(type="str", default="", min_length=1), ("fields.title.default", "min_length")),
    (field(type="text", default="a\nb"), ("fields.title.default", "line break")),
    (field(type="text", default="x" * 201), ("fields.title.default", "200")),
    (field(type="email", default="nobody"), ("fields.title.default", "email")),
    (field(type="email", default="a@b@example.com"), ("email",)),
    (field(type="email", default="a..b@example.com"), ("email",)),
    (field(type="email", default="a@example.test"), ("email",)),
    (field(type="email", default="a@example.com\n"), ("fields.title.default",)),
    (field(type="url", default="example.com"), ("fields.title.default", "web address")),
    (field(type="url", default="javascript:alert(1)"), ("web address",)),
    (field(type="url", default="https://a b.example"), ("web address",)),
    (field(type="url", default="https://example.com:65536/"), ("web address",)),
    (field(type="int", default=1.5), ("fields.title.default", "32 bits")),
    (field(type="int", default="1"), ("fields.title.default",)),
    (field(type="int", default=True), ("fields.title.default",)),
    (field(type="int", default=2**31), ("fields.title.default",)),
    (field(type="int", default=0, ge=1), ("fields.title.default", "ge")),
    (field(type="int", default=5, lt=5), ("fields.title.default", "lt")),
    (field(type="float", default=float("nan")), ("fields.title.default", "finite")),
    (field(type="float", default="1.5"), ("fields.title.default",)),
    (field(type="float", default=1, gt=1), ("fields.title.default", "gt")),
    (field(type="decimal", default="1.234"), ("fields.title.default", "after the point")),
    (field(type="decimal", default="1234", max_digits=5), ("before the point",)),
    (field(type="decimal", default="1e3"), ("fields.title.default", "decimal")),
    (field(type="decimal", default="NaN"), ("fields.title.default",)),
    (field(type="decimal", default="-0.01", ge=0), ("fields.title.default", "ge")),
    (field(type="decimal", default=1234567890123456.5), ("quote it",)),
    (field(type="bool", default="yes"), ("fields.title.default", "neither")),
    (field(type="bool", default=1), ("fields.title.default",)),
    (field(type="date", default=date(2024, 1, 1)), ("fields.title.default", "quote it")),
    (field(type="date", default="2023-02-29"), ("fields.title.default", "day")),
    (field(type="date", default="2100-02-29"), ("day",)),
    (field(type="date", default="2024-13-01"), ("day",)),
    (field(type="date", default="01.02.2024"), ("day",)),
    (field(type="date", default="2024-01-01", future=True), ("future",)),
    (field(type="datetime", default=datetime(2024, 1, 1)), ("quote it",)),
    (field(type="datetime", default="2024-01-01T00:00:00"), ("offset",)),
    (field(type="datetime", default="2024-02-30T00:00:00Z"), ("point in time",)),
    (field(type="datetime", default="2024-01-01T24:00:00Z"), ("point in time",)),
    (field(type="datetime", default="2024-01-01T00:00:60Z"), ("point in time",)),
    (field(type="datetime", default="2024-01-01 00:00:00Z"), ("point in time",)),
    (field(type="datetime", default="0001-01-01T00:00:00+01:00"), ("calendar",)),
    (field(type="datetime", default="2030-01-01T00:00:00Z", future=True), ("future",)),
    (field(type="uuid", default="1234"), ("fields.title.default", "UUID")),
    (field(type="uuid", default="g198c5f0-7b1a-7000-8000-000000000000"), ("UUID",)),
    (field(type="enum", choices=["a"], default="b"), ("fields.title.default", "choices")),
    (field(type="enum", choices=["no"], default=False), ("quote it",)),
    (field(type="list", default="a"), ("fields.title.default", "list")),
    (field(type="list", default=[1]), ("fields.title.default", "quote it")),
    (field(type="list", default=["a", "b"], max_items=1), ("fields.title.default", "1")),
    (field(type="list", default=["a\0"]), ("control character",)),
    (field(type="list", default={"a": 1}), ("list",)),
    (field(type="json", default=[]), ("fields.title.default", "object")),
    (field(type="json", default="{}"), ("fields.title.default", "object")),
    (field(type="json", default={1: "a"}), ("quote it",)),
    (field(type="json", default={"a": date(2024, 1, 1)}), ("quote it",)),
    (field(type="json", default={"a": float("nan")}), ("no value of JSON",)),
    (field(type="json", default={"a": [{"b": "\0"}]}), ("control character",)),
    (field(type="json", default={"a": 2**53}), ("no value of JSON",)),
]


def further(*resources: Any, **answers: Any) -> dict[str, Any]:  # noqa: ANN401
    """The answers with further resources."""
    return {"more_resources": list(resources), **answers}


def resource(name: Any, /, **keys: Any) -> dict[str, Any]:  # noqa: ANN401
    """A further resource with one field, unless told otherwise."""
    return {"name": name, "fields": {"title": "str"}, **keys}


def reference(to: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    """The fields of a resource that refers to another."""
    return {"parent": {"type": "reference", "to": to, **options}}


TOGETHER: list[Case] = [
    ({"operations": ["complete"], "fields": {"title": "str"}}, ("complete", "completed")),
    ({"operations": ["complete"], "fields": {"completed": "str"}}, ("complete", "bool")),
    ({"operations": ["search"], "fields": {"n": "int"}}, ("search", "str or text")),
    ({"more_resources": {"name": "label"}}, ("more_resources", "list")),
    (further("label"), ("more_resources", "mapping")),
    (further({"fields": {"a": "str"}}), ("more_resources.1.name", "missing")),
    (further({"name": "label"}), ("more_resources.label.fields", "missing")),
    (further(resource("label", scoped=True)), ("more_resources.label", '"scoped"')),
    (further(resource("Label")), ("more_resources.Label.name", "snake_case")),
    (further(resource(True)), ("more_resources", "quote it")),
    (further(resource("user")), ("more_resources.user.name", "reserved")),
    (further(resource("label", plural="stats")), ("more_resources.label.plural", "reserved")),
    (further(resource("label", fields={"id": "str"})), ("more_resources.label.fields.id",)),
    (further(resource("label", user_scoped="no")), ("more_resources.label.user_scoped",)),
    (further(resource("label", operations=["export"])), ("label.operations", '"export"')),
    (further(resource("label", operations=["complete"])), ("label.operations", "completed")),
    (further(resource("task")), ("more_resources.task.name", "another resource")),
    (further(resource("label"), resource("label")), ("label", "another resource")),
    (further(resource("job", plural="tasks")), ("more_resources.job.plural", "plural of task")),
    (further(resource("tasks", plural="taskses")), ("tasks", "plural of task")),
    (further(resource("task_label_link")), ("TaskLabelLink", "belongs to task")),
    (further(resource("a1"), resource("a_1")), ("a_1", "class A1")),
    ({"fields": reference("nothing")}, ("fields.parent.to", '"nothing"', "task")),
    ({"fields": {"parent": "reference"}}, ("fields.parent.to", "missing")),
    ({"fields": reference("user")}, ("fields.parent.to", '"user"')),
    ({"fields": reference("task")}, ("cycle", "task")),
    ({"fields": reference("task", required=False, default=1)}, ("takes no default",)),
    (
        {"fields": reference("task", required=False, on_delete="explode")},
        ("fields.parent.on_delete", '"explode"'),
    ),
    (
        further(resource("project"), fields=reference("project", on_delete="set_null")),
        ("fields.parent.on_delete", "required: false"),
    ),
    (
        further(
            resource("a", fields=reference("b")),
            resource("b", fields=reference("c")),
            resource("c", fields=reference("a")),
        ),
        ("cycle", "a, b, c"),
    ),
    (
        further(resource("label", user_scoped=False, fields=reference("task"))),
        ("more_resources.label.fields.parent.to", "shared"),
    ),
    (
        further(
            resource("label"),
            fields={"label": {"type": "references", "to": "label", "required": True}},
        ),
        ("fields.label.required",),
    ),
    (
        further(
            resource("label"),
            resource("link", plural="tasks_labels"),
            fields={"label": {"type": "references", "to": "label"}},
        ),
        ("fields.label", "tasks_labels"),
    ),
    (
        further(resource("user_note"), fields={"user": {"type": "reference", "to": "user_note"}}),
        ("fields.user", "user_id", "reserved"),
    ),
    (
        further(
            resource("project"),
            fields={"project": {"type": "reference", "to": "project"}, "project_id": "int"},
        ),
        ("project_id",),
    ),
    (
        further(
            resource("project", plural="p" * 38),
            resource_plural="t" * 20,
            fields={"project": {"type": "reference", "to": "project"}},
        ),
        ("fields.project", "fk_", "63"),
    ),
]

BAD: dict[str, list[Case]] = {
    "given": GIVEN,
    "texts": TEXTS,
    "resources": RESOURCES,
    "field names": FIELD_NAMES,
    "shapes": SHAPES,
    "options": OPTIONS,
    "defaults": DEFAULTS,
    "together": TOGETHER,
}
