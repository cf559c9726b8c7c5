"""The matrix covers what copier.yml offers: every pair of values, in a project that is proven."""

from collections.abc import Callable, Iterable
from itertools import combinations
from typing import Any

import pytest

from tests.support.cells import CELLS, FIELDS, ROWS, STRENGTH, factors
from tests.support.hooks import module
from tests.support.presets import RICH
from tests.support.rendering import questions

Value = tuple[str, Any]
WORDS = {2: "pairs", 3: "triples"}


def together(values: Iterable[Value]) -> set[frozenset[Value]]:
    """Every two values of different factors, or every so many as the matrix is to cover."""
    return {
        frozenset(some)
        for some in combinations(values, STRENGTH)
        if len({factor for factor, _ in some}) == STRENGTH
    }


def test_every_pair_is_in_some_cell(figure: Callable[[str], None]) -> None:
    wanted = together((name, value) for name, offered in factors().items() for value in offered)
    covered = set().union(*(together(row.items()) for row in ROWS))
    figure(
        f"cells: {len(CELLS)}, of which {len(RICH)} are rich sets beside the matrix;"
        f" {WORDS[STRENGTH]} of answers covered: {len(wanted & covered)} of {len(wanted)}"
    )
    assert wanted <= covered


@pytest.mark.parametrize("fields", [each for sets in FIELDS.values() for each in sets])
def test_a_set_of_fields_has_every_type(fields: dict[str, Any]) -> None:
    """So that each type meets each answer; the relations come with several resources."""
    types = {spec["type"] if isinstance(spec, dict) else spec for spec in fields.values()}
    assert types == module("check/options").OPTIONS.keys() - {"reference", "references"}


def test_options_are_all_set_somewhere() -> None:
    """Options that no cell sets are the ones that break unseen."""
    unset = {
        name: set(options)
        - set().union(
            *(
                spec.keys()
                for answers in CELLS.values()
                for fields in (
                    answers.get("fields", {}),
                    *(further["fields"] for further in answers.get("more_resources", [])),
                )
                for spec in fields.values()
                if isinstance(spec, dict) and spec["type"] == name
            )
        )
        for name, options in module("check/options").OPTIONS.items()
    }
    assert {name: options for name, options in unset.items() if options} == {}


def test_cells_answer_what_is_asked() -> None:
    unknown = {name: answers.keys() - questions().keys() for name, answers in CELLS.items()}
    assert not any(unknown.values()), unknown
