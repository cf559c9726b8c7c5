"""Unusual answers that must be accepted."""

from typing import Any

Answers = dict[str, Any]

HOSTILE = 'It\'s "quoted" \\ \\n {{ 7 * 7 }} {% raw %} {# x #} # $HOME ${{ x }} %s {0} é 🦊 <b>`|`'


def field(name: str = "title", /, **spec: Any) -> Answers:  # noqa: ANN401
    """Return answers with one field."""
    return {"fields": {name: spec}}


# Words that SQL or Python's containers use.
COMMON_WORDS = [
    *("select", "order", "group", "table", "where", "user", "column", "default", "check"),
    *("index", "count", "items", "values", "keys", "get", "update", "pop", "key", "value"),
    *("type", "match", "case", "status", "name", "data", "hash", "uuid", "text"),
]
YAML_WORDS = ["yes", "no", "on", "off", "null", "y", "n"]

TEXTS: list[Answers] = [
    {"project_name": HOSTILE[:80]},
    {"project_description": HOSTILE},
    {"project_name": "🦊"},
    {"project_name": "Ünïcode, 日本語"},
    {"project_name": "2024"},
    {"project_name": "yes"},
    {"project_name": "null"},
    {"project_name": "x" * 80},
    {"project_name": " padded "},
    {"project_name": "👩‍👩‍👧 family"},
    {"project_name": "FastAPI"},
    {"project_name": "'''"},
    {"project_slug": "a"},
    {"project_slug": "app"},
    {"project_slug": "t1--x"},
    {"api_prefix": "/v1"},
    {"api_prefix": "/api/v1.0/~a_b-c"},
    {"api_prefix": "/documents"},
]

RESOURCES: list[Answers] = [
    {"resource_name": "work_item"},
    {"resource_name": "person"},
    {"resource_name": "child"},
    {"resource_name": "category"},
    {"resource_name": "box"},
    {"resource_name": "order"},
    {"resource_name": "group"},
    {"resource_name": "select"},
    {"resource_name": "bus"},
    {"resource_name": "news"},
    {"resource_name": "todo"},
    {"resource_name": "event"},
    {"resource_name": "item"},
    {"resource_name": "match"},
    {"resource_name": "todo_list"},
    {"resource_name": "user_note"},
    {"resource_name": "q"},
    {"resource_name": "a1"},
    {"resource_name": "s" * 40, "resource_plural": "p" * 38},
    {"resource_name": "statistic", "resource_plural": "statistics_rows"},
]

FIELDS: list[Answers] = [
    {"fields": dict.fromkeys(COMMON_WORDS, "str")},
    {"fields": dict.fromkeys(YAML_WORDS, "bool")},
    {"fields": "title: str\nn: {type: int, ge: 0}\n"},
    {"fields": {"a" * 38: {"type": "str", "index": True}}},
    {"fields": {"a" * 40: "str"}},
    {"fields": {"due_gte": "str", "due_at": "datetime"}},
    {
        "fields": {
            "parent": {"type": "reference", "to": "task", "required": False},
            "parent_is_null": {"type": "bool", "required": False},
        }
    },
    {"fields": {"completed": "str"}},
    field(type="str", required=False, default=None),
    field(type="str", default=""),
    field(type="str", default="  "),
    field(type="str", default=HOSTILE, description=HOSTILE),
    field(type="text", default="yes"),
    field(type="str", default="2024-01-01"),
    field(type="str", default="é" * 5, min_length=5, max_length=5),
    field(type="str", min_length=0, max_length=10485760),
    field(type="email", default="o'brien+todo@mail.example.com"),
    field(type="url", default="https://example.com:8443/a?b={c}&d='e'#f"),
    field(type="url", default="http://localhost"),
    field(type="int", default=-(2**31), ge=-(2**31), le=2**31 - 1),
    field(type="int", gt=1, lt=3, default=2),
    field(type="int", default=0),
    field(type="float", default=1, ge=0, lt=1.5),
    field(type="float", default=-0.0),
    field(type="float", default=1e-7),
    field(type="decimal", default="9.99"),
    field(type="decimal", default=9.5),
    field(type="decimal", default=3, max_digits=1, decimal_places=0),
    field(type="decimal", default="-0.001", max_digits=3, decimal_places=3, gt=-1),
    field(type="decimal", default="9999999999999999.99"),
    field(type="decimal", gt=0, lt="0.02", default="0.01"),
    field(type="bool", default=False),
    field(type="bool", required=False),
    field(type="date", default="2024-02-29"),
    field(type="date", default="2000-02-29"),
    field(type="date", future=False, default="1999-12-31"),
    field(type="date", future=True),
    field(type="datetime", default="2024-02-29T23:59:59.999999+05:30"),
    field(type="datetime", default="2024-01-01T00:00Z"),
    field(type="uuid", default="0198C5F0-7b1a-7000-8000-000000000000"),
    field(type="enum", choices=["yes", "no", "null", "1", "2024-01-01"], default="no"),
    field(type="enum", choices=[HOSTILE, "it's", 'say "hi"', "a\\b", "🦊", "#"], default="a\\b"),
    field(type="enum", choices=["low", "Low", " low"]),
    field(type="enum", choices=["one"], required=False, default=None),
    field(type="list", default=["a", "a", HOSTILE, ""]),
    field(type="list", max_items=2, default=["a", "b"]),
    field(type="json", default={HOSTILE: [None, True, 1.5, {"": []}]}),
    field(type="json", max_items=1),
    field(type="str", renamed_from="name"),
    field(type="str", renamed_from="json"),
]

CHOICES: list[Answers] = [
    {"timestamps": "false", "id_type": "int"},
    {"timestamps": "no"},
    {"operations": "[]"},
    {"operations": [], "more_resources": "[]"},
    {"_src_path": "ignored", "_commit": "ignored"},
]


def resource(name: str, /, **keys: Any) -> Answers:  # noqa: ANN401
    """Return a further resource, with one field by default."""
    return {"name": name, "fields": {"title": "str"}, **keys}


TOGETHER: list[Answers] = [
    {"auth": "external", "soft_delete": True, "user_scoped": False},
    {"auth": "external", "mail": False},
    {"auth": "local", "mail": "yes", "resource_name": "mail"},
    {"operations": ["complete", "bulk"]},
    {"operations": "[stats]"},
    {"more_resources": [resource("label", user_scoped=False), resource("project")]},
    {"more_resources": "[{name: label, fields: {title: str}}]"},
    {"more_resources": [resource("task_group"), resource("subtask")]},
    {"fields": {"parent": {"type": "reference", "to": "task", "required": False}}},
    {
        "fields": {
            "project": {"type": "reference", "to": "project", "on_delete": "cascade"},
            "label": {"type": "references", "to": "label", "default": [], "required": False},
        },
        "more_resources": [
            resource("project"),
            resource("label", user_scoped=False, operations=[]),
            resource(
                "comment",
                fields={"task": {"type": "reference", "to": "task"}, "text": "text"},
            ),
        ],
    },
    {
        "fields": {
            "owner": {
                "type": "reference",
                "to": "person",
                "required": False,
                "on_delete": "set_null",
            }
        },
        "more_resources": [
            {"name": "person", "fields": {"task": {"type": "reference", "to": "task"}}}
        ],
    },
]

GOOD: dict[str, list[Answers]] = {
    "texts": TEXTS,
    "resources": RESOURCES,
    "fields": FIELDS,
    "choices": CHOICES,
    "together": TOGETHER,
}
