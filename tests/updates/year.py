"""A year of a project, as a list of steps: what a team does, and what must hold after each step.

The project is one repository of git, with a database for development and one of production, whose
rows are compared before and after each migration.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.migrations.rows import VERSIONS
from tests.support.commands import command, commit, git
from tests.support.environment import Environment
from tests.support.own_edits import Part
from tests.support.updating import MARKERS, conflicts, rejected, update

CLIENT = Path(__file__).with_name("year_client.py")
SECRET = "a secret of thirty-two bytes or more"
CREATE = ("python", "-m", "scripts.migrations", "create")
CHECK = ("python", "-m", "scripts.migrations", "check")
ANSWERS_CHECK = ("python", "-m", "scripts.answers")
MIGRATE = ("python", "-m", "migrations")
# What a quarter ends with: `make check`, besides what each step ends with.
CHECKS = (
    ("ruff", "check", "--no-cache"),
    ("ruff", "format", "--check", "--no-cache"),
    ("lint-imports", "--no-cache", "--no-logo"),
    ("mypy", "--cache-dir", "../mypy"),
)
CONFLICT = re.compile(
    f"^{MARKERS[0]}\n(.*?)^=======\n(.*?)^{MARKERS[1]}\n", re.DOTALL | re.MULTILINE
)

Rows = dict[str, list[dict[str, Any]]]
# What becomes of a table or of `table.column`: its new name or values, or None if it is removed.
Becomes = dict[str, str | Callable[[Any], Any] | None]


@dataclass
class Year:
    """The project, its databases, and what is counted."""

    project: Path
    template: Path
    environment: Environment
    databases: list[str]
    # What clients create after each step, by path.
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    # All own lines, in the order in which they were written.
    parts: list[Part] = field(default_factory=list)
    # The database of a colleague, which nobody migrates until December.
    colleague: Path | None = None
    # The rows of each database after the last step.
    rows: dict[str, Rows] = field(default_factory=dict)
    # The revisions as the commands wrote them.
    written: dict[str, str] = field(default_factory=dict)
    conflicts: int = 0
    mended: int = 0

    def run(self, *arguments: str, **variables: str) -> str:
        """Run a command of the environment in the project; it must succeed."""
        return self.environment.check(self.project, *arguments, **variables)

    def fails(self, *arguments: str, says: str, **variables: str) -> None:
        """Run a command that must fail, and say something."""
        done = self.environment.run(self.project, *arguments, **variables)
        assert done.returncode == 1, done.stdout
        assert says in done.stdout, done.stdout

    def text(self, path: str) -> str:
        """Return the text of a file; that of a new one is empty."""
        file = self.project / path
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        (self.project / path).parent.mkdir(parents=True, exist_ok=True)
        (self.project / path).write_text(text, encoding="utf-8")

    def add(self, *parts: Part) -> None:
        """Write own lines."""
        for part in parts:
            self.write(part.path, part.apply(self.text(part.path)))
            self.parts.append(part)

    def answer(self, **answers: Any) -> None:  # noqa: ANN401
        """Change answers by `copier update`."""
        update(self.project, answers)
        self.merged()

    def merged(self) -> None:
        """Count the conflicts of an update, and keep both sides of each."""
        self.conflicts += len(rejected(self.project))
        for path, number in conflicts(self.project).items():
            self.conflicts += number
            self.write(path, CONFLICT.sub(r"\1\2", self.text(path)))

    def revisions(self) -> set[str]:
        """Return the names of the revisions."""
        return {path.name for path in (self.project / VERSIONS).glob("*.py")}

    def revision(self, message: str, *arguments: str) -> list[str]:
        """Write revisions by a command (`make migration`), and return their paths."""
        before = self.revisions()
        self.run(*(arguments or CREATE), MESSAGE=message)
        made = [str(VERSIONS / name) for name in sorted(self.revisions() - before)]
        self.written.update({path: self.text(path) for path in made})
        return made

    def by_hand(self, path: str, text: str) -> None:
        """Write a revision as a page says, which is not counted as mended."""
        self.write(path, text)
        self.written[path] = text

    def statements(self, message: str, upgrade: str, downgrade: str = "    pass\n") -> None:
        """Write an empty revision by the documented command, and fill it."""
        [path] = self.revision(message, "alembic", "revision", "--message", message)
        text, count = re.subn(
            r"(def upgrade\(\) -> None:\n).*?(\n\n\ndef downgrade\(\) -> None:\n).*",
            lambda found: f"{found[1]}{upgrade.rstrip()}{found[2]}{downgrade}",
            self.text(path),
            flags=re.DOTALL,
        )
        assert count == 1, self.text(path)
        self.by_hand(path, text)

    def sent(self, number: int) -> str:
        """Return what clients create after a step, as JSON."""
        return json.dumps(self.bodies).replace("{number}", str(number))

    def client(self, url: str, *arguments: str) -> Rows:
        """Run the client on a database, and return all rows."""
        variables = {"DATABASE_URL": url, "JWT_SECRET_KEY": SECRET, "LOG_LEVEL": "WARNING"}
        printed = self.run("python", str(CLIENT), *arguments, **variables)
        rows: Rows = json.loads(printed.strip().splitlines()[-1])
        return rows


@dataclass(frozen=True)
class Step:
    """What a team does in one go."""

    name: str
    does: Callable[[Year], None]
    becomes: Becomes = field(default_factory=dict)
    # What a page says to write by hand.
    by_hand: str = ""
    quarter: bool = False


@dataclass
class Count:
    """What was counted in a step."""

    step: Step
    conflicts: int = 0
    mended: int = 0
    finished: bool = False

    def line(self) -> str:
        """Return a row of the table."""
        note = (
            f" (written by hand, as the page says: {self.step.by_hand})"
            if self.step.by_hand
            else ""
        )
        state = "" if self.finished else " FAILED"
        return f"  {self.conflicts:9} {self.mended:6}  {self.step.name}{note}{state}"


def is_production(url: str) -> bool:
    """Return whether this is the database of production."""
    return not url.startswith("sqlite")


def expected(rows: Rows, becomes: Becomes) -> Rows:
    """Return what rows must be after a step."""
    found: Rows = {}
    for table, old in rows.items():
        name = becomes.get(table, table)
        if not isinstance(name, str):
            continue
        found[name] = []
        for row in old:
            new = {}
            for column, value in row.items():
                change = becomes.get(f"{table}.{column}", column)
                if callable(change):
                    new[column] = change(value)
                elif change is not None:
                    new[change] = value
            found[name].append(new)
    return found


def lost(wanted: Rows, found: Rows) -> list[str]:
    """Return the rows that are not there any more, or whose values are others."""
    missing = []
    for table, rows in wanted.items():
        there = list(found.get(table, []))
        for row in rows:
            same = [one for one in there if row.items() <= one.items()]
            if same:
                there.remove(same[0])
            else:
                missing.append(f"{table}: {row}")
    return missing


def deploy(year: Year, step: Step, number: int) -> None:
    """Migrate all databases, compare their rows, and use the API."""
    for url in year.databases:
        if is_production(url):
            year.run(*MIGRATE, "before", DATABASE_URL=url)
        year.run(*MIGRATE, DATABASE_URL=url)
        gone = lost(expected(year.rows.get(url, {}), step.becomes), year.client(url, "read"))
        assert gone == [], f"{url.partition(':')[0]}: {gone}"
        year.rows[url] = year.client(url, "use", f"user{number}", year.sent(number))


def finish(year: Year, step: Step, number: int) -> None:
    """Do what docs/updating.md says after an update, commit, and check what must hold."""
    if "pyproject.toml" in git(year.project, "status", "--porcelain"):
        command(year.project, "uv", "lock", "--quiet")
    year.revision(step.name)
    for url in year.databases:
        compared = {"TEST_DATABASE_URL": url} if is_production(url) else {}
        year.run(*CHECK, **compared)
    year.run(*ANSWERS_CHECK)
    commit(year.project, step.name)
    deploy(year, step, number)
    if step.quarter:
        for check in CHECKS:
            year.run(*check)
    edited = [path for path, text in year.written.items() if year.text(path) != text]
    year.written.update({path: year.text(path) for path in edited})
    year.mended += len(edited)


@contextlib.contextmanager
def counted(year: Year, step: Step) -> Iterator[Count]:
    """Yield what is counted in a step."""
    count = Count(step)
    before = year.conflicts, year.mended
    try:
        yield count
        count.finished = True
    except AssertionError as error:
        error.add_note(f"in the step {step.name!r}")
        raise
    finally:
        count.conflicts, count.mended = year.conflicts - before[0], year.mended - before[1]


def live(year: Year, steps: Iterable[Step], counts: list[Count]) -> None:
    """Do all steps, and append what was counted in each."""
    for number, step in enumerate(steps):
        with counted(year, step) as count:
            counts.append(count)
            step.does(year)
            finish(year, step, number)


def table(counts: Iterable[Count]) -> str:
    """Return the counts as text."""
    counts = list(counts)
    totals = sum(count.conflicts for count in counts), sum(count.mended for count in counts)
    return "\n".join(
        [
            "a simulated year:",
            "  conflicts mended  step",
            *(count.line() for count in counts),
            f"  {totals[0]:9} {totals[1]:6}  in {len(counts)} steps",
        ]
    )
