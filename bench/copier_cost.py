"""Measure `copier copy` and `copier update` of the defaults relative to `copier --version`.

All commands start in new processes and alternate within one run, so that a busy machine slows down
all of them; the figures are medians of ratios of CPU time, including child processes. Each command
is then profiled. The results are a section of docs/benchmarks.md, and docs/benchmarks.svg.
"""

import os
import platform
import pstats
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench import page
from tests.support.commands import commit, shell_environment
from tests.support.rendering import copy_template
from tests.support.updating import publish

ROUNDS = 7
GOAL = 3.5
COPY = "copier copy"
# The least that Copier takes for this number of files.
STATIC = "copier copy, the same files without Jinja"
PYTHON = (sys.executable,)
COPIER = ("-m", "copier")
# The file in which one line differs between the two releases.
CHANGED = "template/.dockerignore"
# The functions whose time is measured, by file and name. The times overlap, because asking and
# rendering include the compilation of Jinja and calls of git.
PARTS = {
    "importing": ("<frozen importlib._bootstrap>", "_find_and_load"),
    "asking, checking, deriving": ("copier/_main.py", "_ask"),
    "rendering files": ("copier/_main.py", "_render_template"),
    "compiling Jinja": ("jinja2/environment.py", "compile"),
    "git": ("plumbum/commands/base.py", "__call__"),
}

SECTION = """A ratio compares the CPU time of a command, including its child processes, with that of
`copier --version`, which mainly imports modules. There are {rounds} rounds of all commands in turn,
each in its own process. A project with the default answers has {files} files.

![CPU time of each command, relative to copier --version](benchmarks.svg)

| command | median ratio | from | to |
| --- | --- | --- | --- |
{ratios}

The goal for a copy is a ratio below {goal:g}: it is {met}. A template of the same files that asks
nothing and has no Jinja, in names or in files, takes {static:.1f}: Copier compiles every part of
every path as a template. The rest is mainly the compilation of this template's Jinja, which Copier
repeats in each process; a template that does not require trust cannot cache the result. An update
clones both releases and renders three times: the old and the new release into temporary folders,
and the new release into the project.

These figures are with Python's bytecode cache. With `PYTHONDONTWRITEBYTECODE`,
`copier --version` takes more than twice as long, and the ratios are about half of these.

Shares of the time under a profiler, which slows down Python but not git:

{shares}

The parts overlap: Jinja is compiled while questions are asked and while files are rendered.

Measured on {day} with Copier {copier}, Jinja {jinja}, Python {python}, git {git}.
"""


@dataclass(frozen=True)
class Command:
    """A call of Copier; an update runs in a project of the first release."""

    title: str
    arguments: tuple[str, ...]
    updates: bool = False


class Bench:
    """A template with two releases, and a project of the first."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.source = copy_template(home / "template")
        self.project = home / "project"
        publish(self.source, "1.0.0")
        self.run(PYTHON, ("copy", "--defaults", "--quiet", str(self.source), str(self.project)))
        commit(self.project, "Start")
        changed = self.source / CHANGED
        first, *rest = changed.read_text(encoding="utf-8").splitlines()
        changed.write_text("\n".join([f"{first} Changed.", *rest, ""]), encoding="utf-8")
        publish(self.source, "1.1.0")
        self.static = self.without_jinja(home / "static")
        self.count = 0

    def without_jinja(self, folder: Path) -> Path:
        """Make a template of the files of the project, which renders them as they are."""
        # Of a folder: the names of a project are then as deep as in the template itself.
        shutil.copytree(self.project, folder / "template", ignore=shutil.ignore_patterns(".git"))
        answers = folder / "template" / ".copier-answers.yml"
        answers.rename(answers.with_name("{{ _copier_conf.answers_file }}.jinja"))
        (folder / "copier.yml").write_text("_subdirectory: template\n", encoding="utf-8")
        publish(folder, "1.0.0")
        return folder

    @cached_property
    def files(self) -> int:
        """The number of files in the project."""
        tracked = ("git", "ls-files")
        listed = subprocess.run(tracked, cwd=self.project, check=True, capture_output=True)
        return len(listed.stdout.splitlines())

    @cached_property
    def commands(self) -> list[Command]:
        """The commands to measure; the others are compared with the first."""
        copy, update = ((action, "--defaults", "--quiet") for action in ("copy", "update"))
        return [
            Command("copier --version", ("--version",)),
            Command(COPY, (*copy, str(self.source))),
            Command(STATIC, (*copy, str(self.static))),
            Command("copier update, one line changed", update, updates=True),
            Command(
                "copier update, one answer changed",
                (*update, "--vcs-ref=:current:", "--data", "pagination=cursor"),
                updates=True,
            ),
        ]

    def run(self, python: Sequence[str], arguments: Sequence[str], cwd: Path | None = None) -> None:
        """Run Copier."""
        command = [*python, *COPIER, *arguments]
        subprocess.run(
            command,
            cwd=cwd,
            env=shell_environment(),
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )

    def measure(self, command: Command, python: Sequence[str] = PYTHON) -> float:
        """Return the CPU time of a command in seconds, including child processes."""
        self.count += 1
        target = self.home / str(self.count)
        arguments = list(command.arguments)
        if command.updates:
            shutil.copytree(self.project, target)
        elif "copy" in arguments:
            arguments.append(str(target))
        before = os.times()
        self.run(python, arguments, target if command.updates else None)
        after = os.times()
        if command.updates:
            done = subprocess.run(
                ("git", "status", "--porcelain"), cwd=target, check=True, capture_output=True
            )
            assert done.stdout, "the update changed nothing"
        return (
            after.children_user
            + after.children_system
            - before.children_user
            - before.children_system
        )

    def profile(self, command: Command) -> list[float]:
        """Run a command under a profiler, and return the share of each part."""
        result = str(self.home / "profile")
        self.measure(command, (*PYTHON, "-m", "cProfile", "-o", result))
        stats = pstats.Stats(result)
        raw: dict[tuple[str, int, str], tuple[int, int, float, float, object]] = vars(stats)[
            "stats"
        ]
        return [
            sum(
                cumulative
                for (where, _, name), (_, _, _, cumulative, _) in raw.items()
                if where.endswith(file) and name == function
            )
            / stats.get_stats_profile().total_tt
            for file, function in PARTS.values()
        ]


def main() -> None:
    """Measure the commands, print the results, and write the page."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        commands = bench.commands
        for command in commands:
            bench.measure(command)  # Fill the caches of the file system.
        rounds = [[bench.measure(command) for command in commands] for _ in range(ROUNDS)]
        profiles = {
            command.title: bench.profile(command)
            for command in commands[1:]
            if command.title != STATIC
        }
        files = bench.files
    ratios = {
        command.title: sorted(spent[number] / spent[0] for spent in rounds)
        for number, command in enumerate(commands)
    }
    medians = {title: statistics.median(each) for title, each in ratios.items()}
    seconds = statistics.median(spent[0] for spent in rounds)
    figures = page.table(
        ["command", "median ratio", "from", "to"],
        [
            [re.sub(r"^[^,]+", r"`\g<0>`", title)]
            + [f"{figure:.1f}" for figure in (medians[title], each[0], each[-1])]
            for title, each in ratios.items()
        ],
    )
    shares = page.table(
        ["", *(title.removeprefix("copier ") for title in profiles)],
        [
            [part, *(f"{100 * spent[number]:.0f} %" for spent in profiles.values())]
            for number, part in enumerate(PARTS)
        ],
    )
    print(f"copier --version: {seconds:.2f} s of CPU; {files} files; {ROUNDS} rounds\n")
    print(figures, shares, sep="\n\n")
    met = "met" if medians[COPY] < GOAL else "missed"
    print(f"\nGoal of a copy: below {GOAL:g}, {met}")
    section = SECTION.format(
        rounds=ROUNDS,
        files=files,
        goal=GOAL,
        met=met,
        static=medians[STATIC],
        ratios="\n".join(figures.splitlines()[2:]),
        shares=shares,
        day=datetime.now(tz=UTC).date(),
        copier=version("copier"),
        jinja=version("jinja2"),
        python=platform.python_version(),
        git=subprocess.check_output(["git", "version"], text=True).split()[2],
    )
    bars = [
        page.Bar(
            title,
            median,
            goal=GOAL if title == COPY else None,
            gray=title == commands[0].title,
        )
        for title, median in medians.items()
    ]
    page.write(page.COPIER, section)
    page.write_plot("benchmarks.svg", page.plot(bars, 390, 1, "goal of a copy"))


if __name__ == "__main__":
    main()
