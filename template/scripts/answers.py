"""Check that `.copier-answers.yml` has the answers that the project was rendered with.

If they were edited by hand, `copier update` would find no changed answer, and render nothing.
"""

import hashlib
import sys
from pathlib import Path

ANSWERS = Path(".copier-answers.yml")
FINGERPRINT = Path(".copier-answers.sha256")
# The first answer; above it is where they come from.
FIRST = "project_name:"


def check() -> str | None:
    """Return an error if the answers differ from those that the project was rendered with."""
    if not ANSWERS.exists() or not FINGERPRINT.exists():
        return None
    _, first, rest = ANSWERS.read_text(encoding="utf-8").partition(f"\n{FIRST}")
    answers = f"{first.strip()}{rest}"
    if hashlib.sha256(answers.encode()).hexdigest() == FINGERPRINT.read_text("utf-8").strip():
        return None
    return (
        f"{ANSWERS} was edited by hand, so the project does not match its answers.\n"
        'docs/updating.md, "Answers edited by hand", has the way back.'
    )


if __name__ == "__main__":
    sys.exit(check())
