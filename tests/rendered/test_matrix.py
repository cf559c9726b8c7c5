"""The matrix covers every pair of the values that copier.yml offers."""

from collections.abc import Callable, Iterable
from itertools import combinations
from typing import Any

import pytest

from tests.support.cells import CELLS, FIELDS, IMPOSSIBLE, ROWS, STRENGTH, factors
from tests.support.hooks import module
from tests.support.presets import RICH
from tests.support.rendering import questions

Value = tuple[str, Any]
WORDS = {2: "pairs", 3: "triples"}


def combinations_of(values: Iterable[Value]) -> set[frozenset[Value]]:
    """Return all combinations of values that the matrix must cover: pairs or triples."""
    return {
        frozenset(some)
        for some in combinations(values, STRENGTH)
        if len({factor for factor, _ in some}) == STRENGTH and not set(some) >= IMPOSSIBLE
    }


def test_every_pair_of_values_is_in_a_cell(figure: Callable[[str], None]) -> None:
    wanted = combinations_of(
        (name, value) for name, offered in factors().items() for value in offered
    )
    covered = set().union(*(combinations_of(row.items()) for row in ROWS))
    figure(
        f"cells: {len(CELLS)}, of which {len(RICH)} are sets in tests/answers/;"
        f" {WORDS[STRENGTH]} of answers covered: {len(wanted & covered)} of {len(wanted)}"
    )
    assert wanted <= covered


def test_ids_of_own_users_differ_from_those_of_rows_in_a_cell() -> None:
    """The type of their ids matters only with own users, and pairs do not cover that."""
    types = {
        (answers.get("id_type", "uuid"), answers.get("user_id_type"))
        for answers in CELLS.values()
        if answers.get("auth") != "external"
    }
    assert {("uuid", "int"), ("int", "uuid")} <= types


@pytest.mark.parametrize("fields", [each for sets in FIELDS.values() for each in sets])
def test_each_set_of_fields_has_every_type(fields: dict[str, Any]) -> None:
    """Each type is thus combined with each answer; cells with several resources have relations."""
    types = {spec["type"] if isinstance(spec, dict) else spec for spec in fields.values()}
    assert types == module("check/options").OPTIONS.keys() - {"reference", "references"}


def test_every_option_is_set_in_a_cell() -> None:
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


def test_cells_answer_only_existing_questions() -> None:
    unknown = {name: answers.keys() - questions().keys() for name, answers in CELLS.items()}
    assert not any(unknown.values()), unknown
