"""Sets of answers that were changed at random places."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.answers.drawing.fields import options
from tests.answers.drawing.names import names
from tests.answers.drawing.rules import SCALARS, TYPES, Answers
from tests.answers.drawing.valid import valid

ODDITIES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 7, 20, 63, 255, 1.5, 1e16, 2**31 - 1, 2**53, -0.0, "", "0"),
    *("1", "1.50", "task", "tasks", "title", "restrict", "set_null", "cascade", "uuid", "a@b.co"),
    *("2024-02-29", "https://b.co", "2024-01-01T00:00Z", "x" * 40, "{{ 7 + 7 }}", "🦊"),
    *([], {}, ["a"], ["1", "2"], {"a": 1}, [[]]),
]


def spots(value: Any, parent: Any = None, key: Any = None) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401
    """Each place in a tree, as what holds it and its key there."""
    if parent is not None:
        yield parent, key
    pairs: list[Any] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for inner, child in pairs:
        yield from spots(child, value, inner)


@st.composite
def careless(draw: DrawFn) -> Answers:
    """A valid set that somebody changed with closed eyes."""
    answers: Answers = copy.deepcopy(draw(valid()))
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(list(spots(answers))))
        how = draw(st.sampled_from(["value", "word", "key", "option", "gone", "swap"]))
        if how == "gone":
            del holder[key]
        elif how == "swap":
            other, place = draw(st.sampled_from(list(spots(answers))))
            other[place], holder[key] = copy.deepcopy((holder[key], other[place]))
        elif how == "key" and isinstance(holder, dict):
            holder[draw(names())] = holder.pop(key)
        elif how == "option" and isinstance(holder[key], dict) and "type" in holder[key]:
            kind = draw(st.sampled_from(sorted(TYPES)))
            holder[key] |= draw(options(kind)) if kind in SCALARS else {"unique": True}
        elif how == "word":
            holder[key] = draw(names())
        else:
            holder[key] = copy.deepcopy(draw(st.sampled_from(ODDITIES)))
        if not answers:
            break
    return answers
