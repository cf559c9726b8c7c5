"""Deliberate defects in rendered projects: typical mistakes, one diff each.

A file in `defects/` has one hunk; its folder has the name of a project:

    # isolation: queries without an owner
    --- app/db/scope.py
    +++ app/db/scope.py
    @@
    -        return select(table).where(*self.visible(table))
    +        return select(table)

The first line has the subject and a description of the defect. The removed and unchanged lines of
the hunk must occur exactly once in the file, with as much context as that needs. A hunk that does
not apply is an error. `mutants.py` makes small changes of every line.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.mutation.runner import Run

FOLDER = Path(__file__).with_name("defects")
DIFF = re.compile(
    r"# (?P<kind>[a-z ]+): (?P<name>.+)\n"
    r"--- (?P<file>.+)\n\+\+\+ (?P=file)\n@@\n(?P<hunk>([-+ ].*\n)+)"
)


@dataclass(frozen=True)
class Defect:
    """One defect in one file of a project."""

    project: str
    kind: str
    name: str
    file: str
    hunk: tuple[str, ...]

    @property
    def key(self) -> str:
        """The unique name of the defect."""
        return f"{self.project}, {self.kind}: {self.name}"

    @cached_property
    def before(self) -> str:
        """The lines that the hunk expects."""
        return "".join(f"{line[1:]}\n" for line in self.hunk if line[0] != "+")

    @cached_property
    def after(self) -> str:
        """The lines that replace them."""
        return "".join(f"{line[1:]}\n" for line in self.hunk if line[0] != "-")

    def run(self, project: Path) -> Run:
        """Apply the hunk to a project's file.

        Raises:
            ValueError: its lines do not occur exactly once.
        """
        path = project / self.file
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        pieces = f"\n{text}".split(f"\n{self.before}")
        if len(pieces) != 2:
            raise ValueError(
                f"these lines occur {len(pieces) - 1} times in {self.file}:\n{self.before}"
            )
        first = pieces[0].count("\n") + 1
        expected = [line for line in self.hunk if line[0] != "+"]
        removed = [number for number, line in enumerate(expected) if line[0] == "-"]
        lines = (first + min(removed, default=0), first + max(removed, default=0))
        return Run(self.key, self.file, lines, f"\n{self.after}".join(pieces)[1:])


def read(path: Path) -> Defect:
    """Read one file of `defects/`.

    Raises:
        ValueError: it does not have the format described above.
    """
    found = DIFF.fullmatch(path.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{path.parent.name}/{path.name} is not a defect with one hunk")
    hunk = tuple(found["hunk"].splitlines())
    return Defect(path.parent.name, found["kind"], found["name"], found["file"], hunk)


DEFECTS = [read(path) for path in sorted(FOLDER.glob("*/*.diff"))]
