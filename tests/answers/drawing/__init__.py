"""Whole sets of answers, drawn by Hypothesis.

`valid` keeps every rule that the README and docs/reserved-names.md state. `broken` breaks one of
them, and knows which answer is wrong. `careless` changes a valid set at random places: the result
is rejected, or works.
"""

import os
import secrets

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from tests.answers.drawing.broken import Broken, broken
from tests.answers.drawing.careless import careless
from tests.answers.drawing.rules import Answers
from tests.answers.drawing.valid import valid

__all__ = ["DRAWN", "SEED", "Broken", "broken", "careless", "sample", "valid"]

DRAWN = os.environ.get("TEST_DRAWN", "")
# Each worker of pytest-xdist has to draw the same.
RUN = int(os.environ.get("PYTEST_XDIST_TESTRUNUID", secrets.token_hex(4))[:8], 16)
SEED = int(os.environ.get("TEST_SEED", RUN if DRAWN else 1))


def sample(strategy: SearchStrategy[Answers], number: int) -> Answers:
    """One set, the same for the same number; Hypothesis begins with the least, which is skipped."""
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
