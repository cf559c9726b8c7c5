"""The rules that names and types follow, as hooks/ has them."""

import re
from typing import Any

from tests.support.hooks import module

Answers = dict[str, Any]
Spec = dict[str, Any]

reserved = module("check/reserved")
TYPES: dict[str, list[str]] = {
    name: list(options) for name, options in module("check/options").OPTIONS.items()
}
SCALARS = [name for name in TYPES if name not in {"reference", "references"}]
RANGED = {"int", "float", "decimal", "date", "datetime"}
SUFFIXES = {"reference": "_id", "references": "_ids"}
SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST_CONSTRAINT = 63


def free_for_field(name: str) -> bool:
    """May a field be called so?"""
    return name not in reserved.FIELDS and not re.search(reserved.FIELD_PATTERN, name)


def free_for_table(plural: str, name: str) -> bool:
    """May a resource of that name have such a plural?"""
    return (
        len(plural) <= 38
        and plural != name
        and plural not in reserved.PLURALS
        and not re.search(reserved.PLURAL_PATTERN, plural)
    )


def plural_of(name: str) -> str:
    """The plural that is computed."""
    return str(module("write/names").plural(name))


def class_of(name: str) -> str:
    """The name of a resource's class."""
    return "".join(word.capitalize() for word in name.split("_"))


def kind_of(spec: Any) -> str:  # noqa: ANN401
    """The type of a field, however it is written."""
    return str(spec["type"] if isinstance(spec, dict) else spec)
