"""Let what a project needs fail, and see what its clients are answered.

A PostgreSQL and a Redis are started for it, with the programs of their Debian packages. The backend
runs as in its image, and clients read and write all the time. Every client must have an answer in
time, nothing that was acknowledged may be lost, and all requests must succeed again afterwards. The
results are tables in the rendered docs/outages.md and docs/authentication.md.

--only WORDS runs the faults whose names contain the words; it prints the results and does not write
them. Only root can fill disks; others have no rows of these, and write nothing either.
"""

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from bench.faults import counters, runs
from bench.page import table
from bench.project import render_project
from tests.support.rendering import SOURCE

HEADING = "## What was seen"
PAGE = SOURCE / "docs" / "outages.md"
REDIS_HEADING = "### While Redis is unavailable"
REDIS_PAGE = SOURCE / "{{ '.' if auth == 'local' }}" / "docs" / "authentication.md"
HEAD = ["situation", "answers", "longest request", "healed after", "lost writes", "notes"]

TEXT = """{heading}

{about}
Measured on {day} with {versions}, on {cores} cores on which other programs run.

{table}
"""
ABOUT = """\
Clients read and write all the time, each waiting for its response, while something fails. *Healed
after* is the time from the end of the fault to the last request that failed. *Lost writes* were
answered with a success and are not stored. There is *no answer* while no process listens.
"""
REDIS_ABOUT = """\
Clients read, write, and log in, some of them as an unknown user (401). The columns are those of
[outages.md](outages.md#what-was-seen).
"""


def write(page: Path, heading: str, about: str, rows: Iterable[list[str]], used: str) -> None:
    """Replace one section of a page, up to the next heading."""
    section = TEXT.format(
        heading=heading,
        about=about,
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        versions=used,
        cores=os.cpu_count(),
        table=table(HEAD, list(rows)),
    )
    text = page.read_text(encoding="utf-8")
    pattern = rf"^{re.escape(heading)}\n.*?(?=^##|\Z)"
    written, found = re.subn(
        pattern, lambda _: f"{section}\n", text, flags=re.DOTALL | re.MULTILINE
    )
    assert found == 1, f"{page} has no section {heading}"
    page.write_text(f"{written.rstrip()}\n", encoding="utf-8")


def main() -> None:
    """Cause the faults, print what was seen, and write it into the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="words in the names of the faults")
    only = parser.parse_args().only
    rows: dict[str, list[str]] = {}
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = render_project(folder / "project")
        for fault, seen in runs.run(project.environment, project.home, folder, only):
            if isinstance(seen, str):
                print(f"{fault}: {seen}", flush=True)
                continue
            rows[fault] = [fault, *seen.row()]
            print("  ".join(rows[fault]), flush=True)
            wrong += [f"{fault}: {problem}" for problem in seen.problems()]
        used = runs.versions(folder)
    if wrong:
        sys.exit("\n".join(["", *wrong]))
    if rows.keys() == runs.FAULTS.keys():
        of_redis = [rows.pop(fault) for fault in counters.FAULTS]
        write(PAGE, HEADING, ABOUT, rows.values(), used)
        write(REDIS_PAGE, REDIS_HEADING, REDIS_ABOUT, of_redis, used)


if __name__ == "__main__":
    main()
