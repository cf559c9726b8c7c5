"""Hypothesis strategies for sets of answers.

`valid` follows every rule in the README and docs/reserved-names.md. `broken` breaks one of them,
and names the invalid answer. `altered` changes a valid set at random places: the result is rejected
or works.
"""

import os
import secrets

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from hypothesis.strategies import SearchStrategy

from tests.answers.drawing.altered import altered
from tests.answers.drawing.broken import Broken, broken
from tests.answers.drawing.rules import Answers
from tests.answers.drawing.valid import valid

__all__ = ["DRAWN", "SEED", "Broken", "altered", "broken", "sample", "valid"]

DRAWN = os.environ.get("TEST_DRAWN", "")
# All workers of pytest-xdist must draw the same answers.
RUN = int(os.environ.get("PYTEST_XDIST_TESTRUNUID", secrets.token_hex(4))[:8], 16)
SEED = int(os.environ.get("TEST_SEED", RUN if DRAWN else 1))

# Hypothesis also draws constants of the modules that are loaded, which depend on the tests that ran
# before. A seed must always draw the same answers.
providers._get_local_constants = Constants


def sample(strategy: SearchStrategy[Answers], number: int) -> Answers:
    """Return the set for a number, skipping Hypothesis's first example, which is minimal."""
    found: list[Answers] = []

    @seed(number)
    @settings(
        max_examples=2,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def keep(answers: Answers) -> None:
        found.append(answers)

    keep()
    return found[-1]
