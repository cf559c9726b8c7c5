"""The repository itself: no trust needed, nothing of a machine in it, its workflows in order."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import together
from tests.support.cells import CELLS
from tests.support.environment import uv
from tests.support.rendering import ROOT, questions, settings, sources

CHECK_JSONSCHEMA = "check-jsonschema@0.39.0"
ZIZMOR = "zizmor@1.32.0"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
OWN = "uses: $/.github/workflows/"
# Where a person's or a machine's files would lie, and where its packages would come from.
MACHINE = re.compile(
    r"/home/\w|/Users/\w|/root/|(?<![\w.])/work/|(?<!\w)/tmp/\w|files\.pythonhosted|/simple/?\b"
)


def git(*arguments: str) -> list[str]:
    """The lines that a git command prints, where this is a repository and not a copy of one."""
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no git repository: {done.stderr.strip()}")
    return done.stdout.splitlines()


def tracked() -> list[Path]:
    """The files of the repository."""
    return [ROOT / name for name in git("-c", "core.quotePath=false", "ls-files")]


def test_copier_needs_no_trust() -> None:
    assert settings().keys().isdisjoint({"_tasks", "_jinja_extensions", "_migrations"})


def test_every_question_has_a_default_and_is_always_asked() -> None:
    assert [name for name, question in questions().items() if "default" not in question] == []
    assert [name for name, question in questions().items() if "when" in question] == []
    assert [name for name, of in questions().items() if not of["help"].rstrip().endswith("?")] == []


def test_nothing_of_a_machine_is_tracked() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in tracked()
        if path.is_file() and path != Path(__file__)
        # Archives of what was tracked in its time.
        if path.suffix != ".xz"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MACHINE.search(line)
    ]
    assert found == []


def test_no_lock_file_is_tracked() -> None:
    assert [path for path in tracked() if path.name == "uv.lock"] == []


def test_git_ignores_nothing_of_the_template() -> None:
    """template/.gitignore is for projects, and git reads it here too."""
    names = [str(path.relative_to(ROOT)) for path in sources()]
    ignored = set(
        git("-c", "core.quotePath=false", "ls-files", "--others", "--ignored", "--exclude-standard")
    )
    assert [name for name in names if name in ignored] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_workflow_is_least_privileged_and_pinned(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    workflow: dict[str, Any] = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        writes = {"contents"} if (file.stem, name) == ("release", "publish") else set()
        assert {of for of, may in job["permissions"].items() if may != "read"} == writes
        assert "uses" in job or job["timeout-minutes"] <= 90
    uses = [line.strip().removeprefix("- ") for line in text.splitlines() if "uses:" in line]
    assert [line for line in uses if not PINNED.match(line) and OWN not in line] == []


def test_one_job_stands_for_all_others() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    gate = jobs.pop("passed")
    assert set(gate["needs"]) == set(jobs)
    assert gate["steps"][0]["run"].count("success") == len(jobs)


@pytest.mark.parametrize(
    "command",
    [
        (ZIZMOR, "--offline", "--quiet", ".github"),
        (CHECK_JSONSCHEMA, "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS)),
        (CHECK_JSONSCHEMA, "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml"),
    ],
    ids=["zizmor", "workflow schema", "dependabot schema"],
)
def test_checked_by(command: tuple[str, ...]) -> None:
    done = subprocess.run(
        [uv(), "tool", "run", "--quiet", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tests_of_a_cell_stay_together() -> None:
    file = "tests/rendered/test_cells.py"
    name = next(iter(CELLS))
    assert together(f"{file}::test_mypy[{name}]") == name
    assert together(f"{file}::test_other[a-b]") == file
