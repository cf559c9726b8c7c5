"""The repository: settings of Copier, tracked files and workflows."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import scheduling_group
from tests.support.cells import CELLS
from tests.support.commands import CHECK_JSONSCHEMA, ZIZMOR, run_linter
from tests.support.rendering import ROOT, questions, settings, sources

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
OWN = "uses: $/.github/workflows/"
# Paths and package indexes of a single machine.
MACHINE = re.compile(
    r"/home/\w|/Users/\w|/root/|(?<![\w.])/work/|(?<!\w)/tmp/\w|files\.pythonhosted|/simple/?\b"
)


def git(*arguments: str) -> list[str]:
    """Run git, and return the lines of its output; skip the test outside of a repository."""
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no git repository: {done.stderr.strip()}")
    return done.stdout.splitlines()


def tracked() -> list[Path]:
    """Return the tracked files."""
    return [ROOT / name for name in git("-c", "core.quotePath=false", "ls-files")]


def test_copier_needs_no_trust() -> None:
    assert settings().keys().isdisjoint({"_tasks", "_jinja_extensions", "_migrations"})


def test_every_question_has_a_default_and_help_and_is_always_asked() -> None:
    assert [name for name, question in questions().items() if "default" not in question] == []
    assert [name for name, question in questions().items() if "when" in question] == []
    assert [
        name for name, each in questions().items() if not each["help"].rstrip().endswith("?")
    ] == []


def test_tracked_files_name_no_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in tracked()
        if path.is_file() and path != Path(__file__)
        # Archives contain files that were tracked before.
        if path.suffix != ".xz"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MACHINE.search(line)
    ]
    assert found == []


def test_no_lock_file_is_tracked() -> None:
    assert [path for path in tracked() if path.name == "uv.lock"] == []


def test_git_ignores_no_file_of_the_template() -> None:
    """template/.gitignore is for projects, but git applies it to template/ too."""
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
        assert {scope for scope, access in job["permissions"].items() if access != "read"} == writes
        assert "uses" in job or job["timeout-minutes"] <= 90
    uses = [line.strip().removeprefix("- ") for line in text.splitlines() if "uses:" in line]
    assert [line for line in uses if not PINNED.match(line) and OWN not in line] == []


def test_passed_job_requires_all_other_jobs() -> None:
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
def test_linter_finds_nothing(command: tuple[str, ...]) -> None:
    run_linter(*command, cwd=ROOT)


def test_tests_of_a_cell_are_scheduled_together() -> None:
    file = "tests/rendered/test_cells.py"
    name = next(iter(CELLS))
    assert scheduling_group(f"{file}::test_mypy[{name}]") == name
    assert scheduling_group(f"{file}::test_other[a-b]") == file
