"""What `copier copy` of the defaults costs next to `copier --version`, both cold, in one run.

The two alternate, so that a busy machine slows both; the figure is the median of the ratios of
CPU seconds, children included. The copy is then profiled, to name what it spends them on.
"""

import os
import pstats
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.rendering import copy_template

ROUNDS = 9
GOAL = 3.0
COPIER = (sys.executable, "-m", "copier")
# Functions that stand for what a copy does, by file and name. Their times overlap: compiling and
# git happen within asking and rendering.
PARTS = {
    "importing": ("<frozen importlib._bootstrap>", "_find_and_load"),
    "asking, checking and deriving": ("copier/_main.py", "_ask"),
    "rendering files": ("copier/_main.py", "_render_template"),
    "Jinja: compiling": ("jinja2/environment.py", "compile"),
    "processes (git)": ("plumbum/commands/base.py", "__call__"),
}


def cpu_seconds(*command: str) -> float:
    """Run a command and return the CPU time that it took, its children's included."""
    before = os.times()
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    after = os.times()
    return (
        after.children_user + after.children_system - before.children_user - before.children_system
    )


def git(repository: Path, *arguments: str) -> None:
    """Run git in the copy of the template."""
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=repository, check=True)


def profile(*command: str) -> list[str]:
    """Run a command under a profiler, and say how long it was in each of the parts."""
    with tempfile.TemporaryDirectory() as folder:
        result = str(Path(folder, "result"))
        subprocess.run(
            [command[0], "-m", "cProfile", "-o", result, *command[1:]],
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
        stats = pstats.Stats(result).get_stats_profile()
        raw: dict[tuple[str, int, str], tuple[int, int, float, float, object]] = vars(
            pstats.Stats(result)
        )["stats"]
    lines = [f"{stats.total_tt:6.2f} s  all, under the profiler"]
    for part, (file, function) in PARTS.items():
        spent = sum(
            cumulative
            for (where, _, name), (_, _, _, cumulative, _) in raw.items()
            if where.endswith(file) and name == function
        )
        lines.append(f"{spent:6.2f} s  {part}")
    return lines


def main() -> None:
    """Measure, print, and say whether the goal is met."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        source = copy_template(home / "template")
        git(source, "init", "--quiet")
        git(source, "add", "--all", "--force")
        git(source, "commit", "--quiet", "--message=Release")
        git(source, "tag", "1.0.0")

        def copy(number: int) -> tuple[str, ...]:
            return (*COPIER, "copy", "--defaults", "--quiet", str(source), str(home / f"{number}"))

        cpu_seconds(*copy(-1))  # Fills the caches of the file system.
        versions, copies = [], []
        for number in range(ROUNDS):
            versions.append(cpu_seconds(*COPIER, "--version"))
            copies.append(cpu_seconds(*copy(number)))
        files = sum(path.is_file() for path in (home / "0").rglob("*"))
        parts = profile(*copy(ROUNDS))
    ratio = statistics.median(of / to for of, to in zip(copies, versions, strict=True))
    print(
        f"copier --version        {statistics.median(versions):6.2f} s of CPU, median of {ROUNDS}"
    )
    print(f"copier copy, {files:3} files  {statistics.median(copies):6.2f} s")
    print(f"ratio                   {ratio:6.2f}  (goal: under {GOAL:.0f})")
    print("\nWhat a copy does:")
    print("\n".join(parts))


if __name__ == "__main__":
    main()
