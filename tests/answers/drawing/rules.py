"""The rules for names and types in hooks/."""

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
    """Return whether a field may have a name."""
    return name not in reserved.FIELDS and not re.search(reserved.FIELD_PATTERN, name)


def free_for_table(plural: str, name: str) -> bool:
    """Return whether a resource may have a plural."""
    return (
        len(plural) <= 38
        and plural != name
        and plural not in reserved.PLURALS
        and not re.search(reserved.PLURAL_PATTERN, plural)
    )


def looks_plural(name: str) -> bool:
    """Return whether a name needs an answer for its plural."""
    return bool(module("check/singular").looks_plural(name))


def plural_of(name: str) -> str:
    """Return the computed plural."""
    return str(module("write/names").plural(name))


def class_of(name: str) -> str:
    """Return the class name of a resource."""
    return "".join(word.capitalize() for word in name.split("_"))


def kind_of(spec: Any) -> str:  # noqa: ANN401
    """Return the type of a field in either notation."""
    return str(spec["type"] if isinstance(spec, dict) else spec)
