"""Sets of answers in files: the presets, and further sets for the tests."""

from pathlib import Path
from typing import Any

import yaml

from tests.support.rendering import ROOT

Answers = dict[str, Any]


def answer_files(directory: Path) -> dict[str, Answers]:
    """Return the answers in each file of a directory, by the file's name."""
    return {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted(directory.glob("*.yml"))
    }


# One preset for each todo backend that the template is based on, or a phase of it.
PRESETS = answer_files(ROOT / "presets")
# Larger sets, which combine types, options and relations that the presets do not use.
RICH = answer_files(ROOT / "tests" / "answers")
