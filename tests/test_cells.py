"""The matrix covers what copier.yml offers: every pair of values that works today."""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

from tests.support.cells import CELLS, Answers
from tests.support.rendering import choices, questions

# The types of CONTRIBUTING's list; a reference needs a second resource.
TYPES = (
    *("str", "text", "email", "url", "int", "float", "decimal", "bool", "date", "datetime"),
    *("uuid", "enum", "list", "json"),
)
# Offered, and refused until it works: hooks/undelivered.jinja says the same.
UNDELIVERED: dict[str, tuple[Any, ...]] = {
    "auth": ("external",),
    "soft_delete": (True,),
    "user_scoped": (False,),
    "operations": ("complete", "stats", "bulk", "search"),
}
# Questions with no choices, by values that differ in what they render.
SAMPLES: dict[str, tuple[Any, ...]] = {"api_prefix": ("/api", "/api/v1")}

Value = tuple[str, Any]


def values() -> dict[str, list[Any]]:
    """The values of each question that has more than one to cover."""
    offered = {
        name: [value for value in choices(question) if value not in UNDELIVERED.get(name, ())]
        for name, question in questions().items()
        if choices(question)
    }
    offered |= {name: list(values) for name, values in SAMPLES.items()}
    return {name: values for name, values in offered.items() if len(values) > 1}


def answered(answers: Answers) -> set[Value]:
    """What a cell answers, defaults included, and the types of its fields."""
    found: set[Value] = set()
    for name in values():
        found.add((name, answers.get(name, questions()[name]["default"])))
    for spec in answers.get("fields", {}).values():
        found.add(("type", spec["type"] if isinstance(spec, dict) else spec))
    return found


def wanted() -> Iterator[frozenset[Value]]:
    """Every pair of values of two questions, and every type with every value."""
    offered = values()
    for (one, ones), (other, others) in combinations(offered.items(), 2):
        yield from (frozenset({(one, a), (other, b)}) for a in ones for b in others)
    for name, members in offered.items():
        yield from (frozenset({(name, a), ("type", kind)}) for a in members for kind in TYPES)


def test_every_pair_is_in_some_cell(figure: Callable[[str], None]) -> None:
    covered = {
        frozenset(pair)
        for answers in CELLS.values()
        for pair in combinations(sorted(answered(answers), key=repr), 2)
    }
    pairs = set(wanted())
    figure(f"pairs of answers covered: {len(pairs & covered)} of {len(pairs)}")
    missing = [sorted(pair) for pair in pairs - covered]
    assert sorted(missing, key=repr) == []


def test_cells_answer_what_is_asked() -> None:
    unknown = {name: answers.keys() - questions().keys() for name, answers in CELLS.items()}
    assert not any(unknown.values()), unknown
