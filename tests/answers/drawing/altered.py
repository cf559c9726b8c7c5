"""Sets of answers with changes at random places."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.answers.drawing.fields import options
from tests.answers.drawing.names import names
from tests.answers.drawing.rules import SCALARS, TYPES, Answers
from tests.answers.drawing.valid import valid

VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 7, 20, 63, 255, 1.5, 1e16, 2**31 - 1, 2**53, -0.0, "", "0"),
    *("1", "1.50", "task", "tasks", "title", "restrict", "set_null", "cascade", "uuid", "a@b.co"),
    *("2024-02-29", "https://b.co", "2024-01-01T00:00Z", "x" * 40, "{{ 7 + 7 }}", "🦊"),
    *([], {}, ["a"], ["1", "2"], {"a": 1}, [[]]),
]


def places(value: Any, parent: Any = None, key: Any = None) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401
    """Yield each place in a tree, as its container and its key."""
    if parent is not None:
        yield parent, key
    pairs: list[Any] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for inner, child in pairs:
        yield from places(child, value, inner)


@st.composite
def altered(draw: DrawFn) -> Answers:
    """Draw a valid set, and change it at random places."""
    answers: Answers = copy.deepcopy(draw(valid()))
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(list(places(answers))))
        how = draw(st.sampled_from(["value", "word", "key", "option", "delete", "swap"]))
        if how == "delete":
            del container[key]
        elif how == "swap":
            other, place = draw(st.sampled_from(list(places(answers))))
            other[place], container[key] = copy.deepcopy((container[key], other[place]))
        elif how == "key" and isinstance(container, dict):
            container[draw(names())] = container.pop(key)
        elif how == "option" and isinstance(container[key], dict) and "type" in container[key]:
            kind = draw(st.sampled_from(sorted(TYPES)))
            container[key] |= draw(options(kind)) if kind in SCALARS else {"unique": True}
        elif how == "word":
            container[key] = draw(names())
        else:
            container[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
        if not answers:
            break
    return answers
