"""Merge one edited file with its newly rendered version, as `copier update` does."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.updating import MARKERS

LABELS = ("before updating", "last update", "after updating")
# As Copier runs it: hunks with three lines of context, which do not overlap.
DIFF = ("diff", "--no-index", "--unified=3", "--inter-hunk-context=-1", "--no-prefix")


@dataclass(frozen=True)
class Merged:
    """The merged text of a file, and the number of conflicts in it."""

    text: str
    conflicts: int


def run(folder: Path, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run git outside of a repository."""
    return subprocess.run(
        ["git", *arguments],
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_CEILING_DIRECTORIES": str(folder)},
    )


def merge(folder: Path, old: str, own: str, new: str) -> Merged:
    """Merge an edited text with a new one; both derive from the old one.

    Copier applies the owner's edits to the new files as a patch. Files of which a hunk is rejected
    are merged three-way.
    """
    if old in {own, new}:
        return Merged(new if old == own else own, 0)
    for path, text in (("a/file", old), ("b/file", own), ("file", new), ("new", new)):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    patch = run(folder, *DIFF, "a/file", "b/file").stdout
    applied = run(folder, "apply", "--reject", text=patch)
    if applied.returncode == 0:
        return Merged((folder / "file").read_text(encoding="utf-8"), 0)
    labels = [part for label in LABELS for part in ("-L", label)]
    merged = run(folder, "merge-file", "-p", *labels, "--", "b/file", "a/file", "new")
    return Merged(merged.stdout, merged.stdout.count(f"{MARKERS[0]}\n"))
