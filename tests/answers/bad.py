"""Answers that must be rejected.

A case is (answers, words): the message must contain every word.
"""

from datetime import date
from typing import Any

from tests.answers import wrong
from tests.support.rendering import questions

Case = tuple[dict[str, Any], tuple[str, ...]]


def field(name: str = "title", /, **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return answers with one field."""
    return {"fields": {name: spec}}


def of_field(option: str, spec: wrong.Spec, words: tuple[str, ...]) -> Case:
    """Return the case of one invalid field."""
    place = f"fields.title.{option}" if option else "fields.title"
    return field(**spec), (place, *words)


def reserved(*names: str) -> list[Case]:
    """Return a case for each reserved field name."""
    return [({"fields": {name: "str"}}, (f"fields.{name}", "reserved")) for name in names]


def of_choices() -> list[Case]:
    """Return a case for each question with choices, of which one is chosen."""
    return [
        ({name: "other"}, (name, '"other"', ", ".join(question["choices"].values())))
        for name, question in questions().items()
        if "choices" in question and not question.get("multiselect")
    ]


# The first check: answers that Copier would ignore, or for which it would print a traceback.
GIVEN: list[Case] = [
    ({"resource_nam": "task"}, ("unknown question", '"resource_nam"')),
    ({"Fields": {}}, ('"Fields"',)),
    ({"first_check": "x"}, ('"first_check"',)),
    ({"first_check": "x", "last_check": "x", "resource_name": "7"}, ('"last_check"',)),
    ({"resources": []}, ('"resources"',)),
    ({"features": {}}, ('"features"',)),
    *of_choices(),
    ({"id_type": "UUID"}, ("id_type", '"UUID"', "uuid, int")),
    ({"foreign_access": 404}, ("foreign_access", "not_found, forbidden")),
    ({"user_scoped": "maybe"}, ("user_scoped", '"maybe"', "true")),
    ({"user_id_type": 7, "auth": "external"}, ("user_id_type", "uuid, int")),
    ({"id_type": "bigint", "auth": "none"}, ("2 wrong", '"bigint"', '"none"')),
    ({"pagination": True}, ("pagination", "page, cursor, list")),
    ({"update_method": ["patch"]}, ("update_method",)),
    ({"error_format": None}, ("error_format",)),
    ({"timestamps": "maybe"}, ("timestamps", "must be true or false")),
    ({"soft_delete": 2}, ("soft_delete",)),
    ({"idempotency": "sometimes"}, ("idempotency",)),
    ({"mcp": "sometimes"}, ("mcp",)),
    ({"client": "python"}, ("client", "none, typescript")),
    ({"mail": "sometimes"}, ("mail", "must be true or false")),
    ({"mail": None}, ("mail", "must be true or false")),
    ({"mail": 587, "auth": "external"}, ("1 wrong", "mail", "must be true or false")),
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
    *(({"api_prefix": path}, ("api_prefix", *words)) for path, words in wrong.PREFIXES.items()),
]

RESOURCES: list[Case] = [
    *(({"resource_name": name}, ("resource_name", "snake_case")) for name in wrong.NOT_SNAKE_CASE),
    ({"resource_name": "class"}, ("resource_name", "reserved")),
    ({"resource_name": "user"}, ("resource_name", "reserved")),
    ({"resource_name": "session"}, ("resource_name", "reserved")),
    ({"resource_name": "auth"}, ("resource_name", "reserved")),
    ({"resource_name": "health"}, ("resource_name", "reserved")),
    ({"resource_name": "outgoing_mail"}, ("resource_name", "reserved")),
    ({"resource_name": "field"}, ("resource_name", "reserved")),
    ({"resource_name": "lists"}, ("resource_name", "reserved")),
    ({"resource_name": "scoped"}, ("resource_name", "reserved")),
    ({"resource_name": "key_error"}, ("resource_name", "reserved")),
    ({"resource_name": "exception"}, ("resource_name", "reserved")),
    *(
        ({"resource_name": name}, ("resource_name", f'"{name}" looks like a plural'))
        for name in ("tasks", "todos", "categories", "people", "work_items", "boxes")
    ),
    (
        {"more_resources": [{"name": "labels", "fields": {"name": "str"}}]},
        ("more_resources.labels.name", "labelses", "set plural"),
    ),
    ({"resource_name": "a" * 41}, ("resource_name", "41", "40")),
    ({"resource_name": "task", "resource_plural": "auth"}, ("resource_plural", "reserved")),
    ({"resource_name": "task", "resource_plural": "stats"}, ("resource_plural", "reserved")),
    ({"resource_name": "task", "resource_plural": "search"}, ("resource_plural", "reserved")),
    ({"resource_name": "task", "resource_plural": "bulk"}, ("resource_plural", "reserved")),
    ({"resource_name": "member", "resource_plural": "users"}, ("resource_plural", "reserved")),
    (
        {"resource_name": "member", "resource_plural": "verify_email"},
        ("resource_plural", "reserved"),
    ),
    ({"resource_name": "stat"}, ("resource_plural", '"stats"', "reserved")),
    ({"resource_plural": "nothing"}, ("resource_plural", "reserved")),
    ({"resource_plural": "pg_tasks"}, ("resource_plural", "reserved")),
    ({"resource_plural": "sqlite_tasks"}, ("resource_plural", "reserved")),
    ({"resource_plural": "task"}, ("resource_plural", "singular")),
    ({"resource_plural": "to-dos"}, ("resource_plural", "snake_case")),
    ({"resource_plural": "t" * 39}, ("resource_plural", "39", "38")),
]

FIELD_NAMES: list[Case] = [
    *reserved("class", "from", "import", "async", "lambda", "none"),
    *reserved("json", "copy", "dict", "schema", "validate", "construct", "metadata", "registry"),
    *reserved("model_config", "model_dump", "model_anything", "sqlmodel_update"),
    *reserved("str", "int", "list"),
    *reserved("id", "user_id", "created_at", "updated_at", "deleted_at", "xmin", "ctid"),
    *reserved("page", "page_size", "limit", "offset", "cursor", "sort", "query", "created_at_gte"),
    *reserved("id_1", "user_id_2", "self"),
    *reserved("nothing", "returning", "lateral", "collation", "concurrently", "tablesample"),
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
    ({"fields": {"title": None}}, ("fields.title", "must be a type or a mapping")),
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
    *(
        of_field(option, {"type": "str", option: value}, words)
        for option, values in wrong.COMMON.items()
        for value, words in values
    ),
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

OPTIONS = [of_field(*each) for each in wrong.OPTIONS]
DEFAULTS = [of_field(*each) for each in wrong.DEFAULTS]


def further(*resources: Any, **answers: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return answers with further resources."""
    return {"more_resources": list(resources), **answers}


def resource(name: Any, /, **keys: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a further resource, with one field by default."""
    return {"name": name, "fields": {"title": "str"}, **keys}


def reference(to: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return fields with a reference to a resource."""
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
    ({"fields": reference("task", required=False, default=1)}, ("cannot have a default",)),
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
        further(
            resource("label"),
            resource(
                "rule", plural="idempotency", fields={"key": {"type": "references", "to": "label"}}
            ),
        ),
        ("more_resources.rule.fields.key", "idempotency_keys"),
    ),
    (
        further(
            resource("label"),
            resource(
                "letter", plural="email", fields={"token": {"type": "references", "to": "label"}}
            ),
        ),
        ("more_resources.letter.fields.token", "email_tokens"),
    ),
    (
        further(
            resource("label"),
            resource(
                "tray", plural="outgoing", fields={"mail": {"type": "references", "to": "label"}}
            ),
        ),
        ("more_resources.tray.fields.mail", "outgoing_mails"),
    ),
    ({"mail": True, "auth": "external"}, ("1 wrong", "mail: must be false with auth: external")),
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
