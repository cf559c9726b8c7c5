"""The matrix: sets of answers, called cells, each of which is rendered and tested.

Most are computed from the choices of copier.yml, so that every pair of values occurs in a cell
(with TEST_STRENGTH=3, every triple). The others cover names and strings, which have no choices.
`tests/rendered/test_matrix.py` checks the coverage.
"""

import os
from collections.abc import Iterator
from itertools import cycle
from string import ascii_lowercase
from typing import Any

import covertable

from tests.support.presets import PRESETS, RICH
from tests.support.rendering import choices, questions

Answers = dict[str, Any]

# Characters with a meaning in Jinja, Python, TOML, YAML, Markdown, HTML, SQL or a shell.
HOSTILE = (
    "It's \"quoted\" '''thrice''' \\ \\N{BULLET} \\x41 {{ 7 + 7 }} {% raw %} {# note #} # hash"
    " $HOME ${{ secrets.X }} %s %(a)s {0} é 🦊 `tick` <b> & | --> */ */"
)
# A shorter string of this kind, for names and choices.
HOSTILE_NAME = 'It\'s "q" \\ \\N{DASH} {{ 7 + 7 }} {# note #} # $HOME ${{ secrets.X }} %s é 🦊'
BRACES = ("{{ 7 + 7 }}", "{% raw %}", "{# note #}", "${{ secrets.X }}")

# Every type, without options; some names are keywords of SQL or modules of Python.
PLAIN: Answers = {
    "select": "str",
    "group": "text",
    "contact": "email",
    "homepage": "url",
    "order": "int",
    "ratio": "float",
    "price": "decimal",
    "completed": "bool",
    "day": "date",
    "moment": "datetime",
    "external_key": "uuid",
    "level": {"type": "enum", "choices": ["low", "high"]},
    "labels": "list",
    "extra": "json",
}

# Every type, nullable.
OPTIONAL: Answers = {
    name: {**(spec if isinstance(spec, dict) else {"type": spec}), "required": False}
    for name, spec in PLAIN.items()
}

# Every type, with its options.
OPTIONS: Answers = {
    "subject": {"type": "str", "min_length": 3, "max_length": 80, "unique": True},
    "body": {"type": "text", "min_length": 1, "max_length": 5000, "default": "Say more"},
    "contact": {"type": "email", "max_length": 120, "index": True, "required": False},
    "homepage": {"type": "url", "max_length": 300, "default": "https://example.com/a?b=c#d"},
    "rank": {"type": "int", "ge": -5, "le": 5, "default": 0, "index": True},
    "ratio": {"type": "float", "gt": 0, "lt": 1, "default": 0.5},
    "price": {"type": "decimal", "max_digits": 10, "decimal_places": 2, "ge": 0, "lt": 1_000_000},
    "tries": {"type": "int", "gt": 0, "lt": 10, "default": 1},
    "score": {"type": "float", "ge": -1, "le": 1, "required": False},
    "discount": {"type": "decimal", "gt": -1, "le": 1, "default": "0.5"},
    "completed": {"type": "bool", "default": True, "index": True},
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

# Names of 40 characters and of one; the operation `complete` requires `completed`.
PADDING = "abcdefghijklmnopqrstuvwxyz0123456789_x_y"
LONGEST: Answers = {
    name if name == "completed" else f"{name}_{PADDING[: 39 - len(name)]}": spec
    for name, spec in PLAIN.items()
}
ONE_LETTER: Answers = {
    name if name == "completed" else letter: spec
    for letter, (name, spec) in zip(ascii_lowercase, OPTIONAL.items(), strict=False)
}

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


# The values that stand for questions without choices, and for one or several resources.
SAMPLES: dict[str, tuple[Any, ...]] = {
    "api_prefix": ("/api", "/api/v1"),
    "fields": ("plain", "optional", "options"),
    "resources": ("one", "several"),
}
# Values that are rejected together.
IMPOSSIBLE = {("auth", "external"), ("mail", True)}
# Used in turn, as the names below are; their combinations are not covered.
FIELDS: dict[str, tuple[Answers, ...]] = {
    "plain": (PLAIN, LONGEST),
    "optional": (OPTIONAL, ONE_LETTER),
    "options": (OPTIONS,),
}
NAMES: tuple[Answers, ...] = (
    {},
    {"resource_name": "q"},
    {"resource_name": "category"},
    {"resource_name": "story_child", "resource_plural": "story_children"},
    {"resource_name": "box"},
    {"resource_name": "work_item"},
)


def factors() -> dict[str, list[Any]]:
    """Return the factors to cover: each question with choices, and each operation on or off."""
    found: dict[str, list[Any]] = {}
    for name, question in questions().items():
        offered = choices(question)
        if question.get("multiselect"):
            found |= {f"{name}.{value}": [True, False] for value in offered}
        elif len(offered) > 1:
            found[name] = offered
    return found | {name: list(values) for name, values in SAMPLES.items()}


def related(main: str, user_scoped: bool) -> tuple[Answers, list[Answers]]:
    """Return fields with every kind of relation, and the resources that they refer to."""
    fields: Answers = {
        "project": {"type": "reference", "to": "project", "on_delete": "cascade"},
        "parent": {"type": "reference", "to": main, "required": False, "on_delete": "set_null"},
        "label": {"type": "references", "to": "label"},
    }
    # A shared resource cannot refer to one that users own.
    project = {"name": {"type": "str", "unique": True}, "budget": {"type": "decimal", "default": 0}}
    return fields, [
        {"name": "project", "fields": project, "user_scoped": user_scoped},
        {"name": "label", "fields": {"name": "str"}, "user_scoped": False, "operations": []},
        {
            "name": "comment",
            "plural": "remarks",
            "fields": {"body": "text", f"{main}_ref": {"type": "reference", "to": main}},
        },
    ]


def answers_of(chosen: dict[str, Any], names: Answers, fields: Answers) -> Answers:
    """Return the answers for a row of the covering array."""
    answers = {name: value for name, value in chosen.items() if name in questions()}
    answers |= names | {"fields": fields}
    answers["operations"] = [
        name.removeprefix("operations.")
        for name, on in chosen.items()
        if name.startswith("operations.") and on
    ]
    if chosen["resources"] == "several":
        main = names.get("resource_name", "task")
        relations, further = related(main, chosen["user_scoped"])
        answers |= {"fields": fields | relations, "more_resources": further}
    return answers


# Breaks ties; of the first forty values, this one results in the fewest rows.
SALT = "12"
STRENGTH = int(os.environ.get("TEST_STRENGTH", "2"))


def rows() -> list[dict[str, Any]]:
    """Return a covering array of the factors, which is deterministic."""
    wanted = factors()
    conditions = [
        {"operator": "ne", "left": name, "value": value} for name, value in sorted(IMPOSSIBLE)
    ]
    array: Iterator[dict[str, Any]] = covertable.make(
        wanted,
        strength=STRENGTH,
        salt=SALT,
        constraints=[{"operator": "or", "conditions": conditions}],
    )
    return [{name: row[name] for name in wanted} for row in array]


def cells() -> Iterator[Answers]:
    """Yield the answers for each row."""
    fields = {name: cycle(sets) for name, sets in FIELDS.items()}
    for row, names in zip(ROWS, cycle(NAMES), strict=False):
        yield answers_of(row, names, next(fields[row["fields"]]))


ROWS = rows()

CELLS: dict[str, Answers] = {
    "defaults": {},
    # It has no index.
    "one-field": {
        "fields": {"title": "str"},
        "user_scoped": False,
        "timestamps": False,
        "auth": "external",
    },
    "hostile": {
        "project_name": HOSTILE_NAME,
        "project_slug": "hostile",
        "project_description": HOSTILE,
        "fields": QUOTED,
        "pagination": "list",
        "mail": True,
    },
}
CELLS |= {f"row-{number:02}": answers for number, answers in enumerate(cells(), 1)}
CELLS |= PRESETS | RICH
