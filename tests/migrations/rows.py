"""Insert, migrate and compare rows in the databases of a rendered project."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.environment import Environment
from tests.support.postgres import Postgres

Rows = list[dict[str, Any]]
VERSIONS = Path("migrations", "versions")
DRIVER = Path(__file__).with_name("driver.py")


def run(environment: Environment, project: Path, *arguments: str) -> Any:  # noqa: ANN401
    """Run the driver in a project, and return its report."""
    printed = environment.check(project, "python", str(DRIVER), *arguments)
    *lines, last = printed.strip().splitlines()
    found = json.loads(last)
    if "revision" in found:
        found["deletions"] = [line for line in lines if line.startswith("Deletes")]
        # This is not an error, but printed like one.
        nothing = [line for line in lines if "there is nothing to write" in line]
        found["creation_error"] = found["creation_error"] or next(iter(nothing), None)
    return found


def assert_rows(found: dict[str, Rows], expected: dict[str, Rows], step: str) -> None:
    """Check the expected columns of each row."""
    for table, rows in expected.items():
        assert table in found, f"{step}: no table {table}"
        if not rows:
            continue
        assert len(found[table]) == len(rows), f"{step}: {found[table]}"
        for row, wanted in zip(found[table], rows, strict=True):
            seen = {name: row[name] for name in wanted}
            assert seen == wanted, f"{step}: {row}"


def copy_revisions(old: Path, new: Path) -> None:
    """Replace the revisions of a project by those of another."""
    shutil.rmtree(new / VERSIONS)
    shutil.copytree(old / VERSIONS, new / VERSIONS)


@contextmanager
def databases(tmp_path: Path, postgres: Postgres) -> Iterator[list[str]]:
    """Yield the URLs of an empty SQLite database and, if available, a PostgreSQL database."""
    file = f"sqlite:///{tmp_path / 'rows.db'}"
    if not postgres.available:
        yield [file]
        return
    with postgres.database() as url:
        yield [file, url]
