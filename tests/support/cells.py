"""The matrix: named sets of answers, each rendered and proven as a whole.

Every pair of values of the questions that have choices occurs in some cell, and so does every
field type with every one of these values. `test_cells.py` counts them.
"""

from typing import Any

Answers = dict[str, Any]

# Whatever a person may write in a text, and a template may trip over.
HOSTILE = (
    "It's \"quoted\" '''thrice''' \\ \\N{BULLET} \\x41 {{ 7 + 7 }} {% raw %} {# note #} # hash"
    " $HOME ${{ secrets.X }} %s %(a)s {0} é 🦊 `tick` <b> & | --> */ */"
)
# The same in few characters, for what is a name or a choice.
HOSTILE_NAME = 'It\'s "q" \\ \\N{DASH} {{ 7 + 7 }} {# note #} # $HOME ${{ secrets.X }} %s é 🦊'
BRACES = ("{{ 7 + 7 }}", "{% raw %}", "{# note #}", "${{ secrets.X }}")

# Every type, as short as can be; names that SQL and Python's library use too.
PLAIN: Answers = {
    "select": "str",
    "group": "text",
    "contact": "email",
    "homepage": "url",
    "order": "int",
    "ratio": "float",
    "price": "decimal",
    "done": "bool",
    "day": "date",
    "moment": "datetime",
    "external_key": "uuid",
    "level": {"type": "enum", "choices": ["low", "high"]},
    "labels": "list",
    "extra": "json",
}

# Every type, with null in its place allowed.
OPTIONAL: Answers = {
    name: {**(spec if isinstance(spec, dict) else {"type": spec}), "required": False}
    for name, spec in PLAIN.items()
}

# Every type, with the options that it takes.
OPTIONS: Answers = {
    "subject": {"type": "str", "min_length": 3, "max_length": 80, "unique": True},
    "body": {"type": "text", "min_length": 1, "max_length": 5000, "default": "Say more"},
    "contact": {"type": "email", "max_length": 120, "index": True, "required": False},
    "homepage": {"type": "url", "max_length": 300, "default": "https://example.com/a?b=c#d"},
    "rank": {"type": "int", "ge": -5, "le": 5, "default": 0, "index": True},
    "ratio": {"type": "float", "gt": 0, "lt": 1, "default": 0.5},
    "price": {"type": "decimal", "max_digits": 10, "decimal_places": 2, "ge": 0},
    "done": {"type": "bool", "default": True, "index": True},
    "day": {"type": "date", "future": True, "required": False},
    "moment": {"type": "datetime", "future": True, "index": True},
    "external_key": {"type": "uuid", "unique": True, "required": False},
    "level": {
        "type": "enum",
        "choices": ["low", "in-between", "very high"],
        "default": "in-between",
        "index": True,
        "description": "How much it matters",
    },
    "labels": {"type": "list", "max_items": 5, "default": ["new"]},
    "extra": {"type": "json", "max_items": 9, "default": {"source": "web", "depth": [1, 2]}},
}

# The longest names that are accepted: 40 characters, a plural of 38, an index's name of 63.
LONG_NAME = "quarterly_maintenance_inspection_reports"
LONGEST: Answers = {
    **{
        f"{name}_{'abcdefghijklmnopqrstuvwxyz0123456789_x_y'[: 39 - len(name)]}": spec
        for name, spec in PLAIN.items()
    },
    "short_indexed": {"type": "int", "index": True},
}

ONE_LETTER: Answers = dict(zip("abcdefghijklmn", OPTIONAL.values(), strict=True))

QUOTED: Answers = {
    "note": {"type": "str", "default": HOSTILE, "description": HOSTILE},
    "remark": {"type": "text", "default": HOSTILE, "description": HOSTILE, "required": False},
    "mood": {
        "type": "enum",
        "choices": [
            HOSTILE_NAME,
            "it's",
            'say "hi"',
            "back\\slash",
            "🦊",
            "#",
            "{{ 7 + 7 }}",
            "yes",
        ],
        "default": "back\\slash",
        "description": HOSTILE,
    },
    "labels": {"type": "list", "default": [HOSTILE, "'", '"', "\\"], "description": HOSTILE},
    "extra": {"type": "json", "default": {HOSTILE: [HOSTILE, None, 1.5, {"": False}]}},
}


def cell(  # noqa: PLR0917
    id_type: str,
    route_scope: str,
    pagination: str,
    update_method: str,
    foreign_access: str,
    error_format: str,
    timestamps: bool,
    api_prefix: str,
    **others: Any,  # noqa: ANN401
) -> Answers:
    """One set of answers, the questions with choices in the order of the table below."""
    return {
        "id_type": id_type,
        "route_scope": route_scope,
        "pagination": pagination,
        "update_method": update_method,
        "foreign_access": foreign_access,
        "error_format": error_format,
        "timestamps": timestamps,
        "api_prefix": api_prefix,
        **others,
    }


CELLS: dict[str, Answers] = {
    "defaults": {},
    "two-words": cell(
        *("int", "path", "cursor", "put", "forbidden", "envelope", False, "/api/v1"),
        resource_name="story_child",
        resource_plural="story_children",
    ),
    "plain": cell(
        *("int", "token", "list", "both", "forbidden", "problem", True, "/api/v1"), fields=PLAIN
    ),
    "optional": cell(
        *("uuid", "path", "page", "both", "not_found", "envelope", False, "/api"),
        fields=OPTIONAL,
        resource_name="work_item",
    ),
    "options": cell(
        *("uuid", "path", "list", "patch", "not_found", "envelope", True, "/api/v1"),
        fields=OPTIONS,
        resource_name="category",
    ),
    "options-put": cell(
        *("int", "token", "page", "put", "forbidden", "problem", False, "/api"), fields=OPTIONS
    ),
    "longest-names": cell(
        *("uuid", "token", "cursor", "patch", "not_found", "envelope", False, "/api"),
        fields=LONGEST,
        resource_name=LONG_NAME,
        resource_plural=LONG_NAME[:38],
    ),
    "one-letter": cell(
        *("uuid", "token", "cursor", "put", "forbidden", "problem", True, "/api/v1"),
        fields=ONE_LETTER,
        resource_name="q",
    ),
    "plain-path": cell(
        *("int", "path", "list", "put", "not_found", "problem", False, "/api"),
        fields=PLAIN,
        resource_name="box",
    ),
    "optional-list": cell(
        *("int", "token", "list", "patch", "forbidden", "problem", True, "/api"), fields=OPTIONAL
    ),
    "options-both": cell(
        *("uuid", "token", "cursor", "both", "not_found", "problem", True, "/api"), fields=OPTIONS
    ),
    "plain-prefix": cell(
        *("uuid", "token", "page", "patch", "not_found", "problem", True, "/api/v1"), fields=PLAIN
    ),
    "hostile": cell(
        *("uuid", "token", "list", "both", "not_found", "problem", True, "/api"),
        fields=QUOTED,
        project_name=HOSTILE_NAME,
        project_slug="hostile",
        project_description=HOSTILE,
    ),
    "todo-list": cell(*("uuid", "token", "list", "both", "not_found", "problem", True, "/api")),
    "one-field": {"fields": {"title": "str"}},
}
