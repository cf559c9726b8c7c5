"""Sets of answers that are kept as files: the presets, and what the tests add to them."""

from pathlib import Path
from typing import Any

import yaml

from tests.support.rendering import ROOT

Answers = dict[str, Any]


def answer_files(directory: Path) -> dict[str, Answers]:
    """The answers in each file of a directory, by the file's name."""
    return {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted(directory.glob("*.yml"))
    }


# One for each design that the template grew from: presets/*.yml.
PRESETS = answer_files(ROOT / "presets")
# Rich ones, where what presets and defaults leave out meets: tests/answers/*.yml.
RICH = answer_files(ROOT / "tests" / "answers")
