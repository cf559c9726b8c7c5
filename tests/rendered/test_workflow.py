"""The jobs of the workflow of a rendered project succeed after the first push."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.commands import COPIER, command, commit
from tests.support.environment import uv
from tests.support.rendering import SOURCE, copy_template

FILE = ".github/workflows/ci.yml"
WORKFLOW: dict[str, Any] = yaml.safe_load((SOURCE / FILE).read_text(encoding="utf-8"))
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
GATE = "passed"

# The keys and actions that these tests support; others would be ignored.
KEYS_OF_WORKFLOW = {"name", True, "permissions", "concurrency", "jobs"}  # `on` is true in YAML.
KEYS_OF_JOB = {
    *("if", "needs", "runs-on", "timeout-minutes", "permissions", "strategy", "services", "steps")
}
KEYS_OF_STEP = {"name", "uses", "with", "run", "env"}
ACTIONS = {"actions/checkout", "astral-sh/setup-uv"}
CANNOT_RUN = {"docker build .": "it requires Docker"}


def steps(name: str) -> list[dict[str, Any]]:
    """Return the steps of a job that run commands."""
    return [step for step in JOBS[name]["steps"] if "run" in step]


def run(clone: Path, step: dict[str, Any], status: int = 0, **instead: str) -> None:
    """Run a step as GitHub does without a configured shell: with `bash -e`."""
    script = clone.with_suffix(".sh")
    script.write_text(step["run"], encoding="utf-8")
    variables = {"CI": "true", **step.get("env", {}), **instead}
    assert "${{" not in "".join([step["run"], *variables.values()])
    settings = [f"{name}={value}" for name, value in variables.items()]
    command(clone, "env", *settings, "bash", "-e", str(script), status=status)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the default project, which was rendered from a released version."""
    home = tmp_path_factory.mktemp("workflow")
    template = copy_template(home / "todo-backend-template")
    commit(template)
    command(template, "git", "tag", "1.0.0")
    project = home / "project"
    command(home, *COPIER, "copy", "--defaults", "--quiet", str(template), str(project))
    commit(project)
    command(home, "git", "clone", "--quiet", project.as_uri(), "clone")
    assert (home / "clone" / FILE).read_bytes() == (SOURCE / FILE).read_bytes()
    return home / "clone"


@pytest.fixture
def fresh(clone: Path) -> Path:
    """The clone without files of earlier jobs, except for ignored ones, such as the environment."""
    command(clone, "git", "clean", "--force", "-d", "--quiet")
    assert command(clone, "git", "status", "--porcelain").stdout == ""
    return clone


@contextmanager
def services(job: dict[str, Any], request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Yield variables with the local equivalents of a job's services."""
    if "services" not in job:
        yield {}
        return
    [(name, service)] = job["services"].items()
    assert name == "postgres"
    login = service["env"]
    [port] = service["ports"]
    variables = [step["env"] for step in job["steps"] if "env" in step]
    assert variables == [
        {
            "TEST_DATABASE_URL": f"postgresql://{login['POSTGRES_USER']}:{login['POSTGRES_PASSWORD']}"
            f"@127.0.0.1:{port.split(':')[0]}/{login['POSTGRES_DB']}"
        }
    ]
    with request.getfixturevalue("postgres").database() as url:
        yield {"TEST_DATABASE_URL": url}


def test_workflow_uses_only_supported_keys_and_actions() -> None:
    assert WORKFLOW.keys() == KEYS_OF_WORKFLOW
    assert set().union(*JOBS.values()) == KEYS_OF_JOB
    every = [step for job in JOBS.values() for step in job["steps"]]
    assert set().union(*every) == KEYS_OF_STEP
    assert {step["uses"].split("@")[0] for step in every if "uses" in step} == ACTIONS
    assert CANNOT_RUN.keys() <= {step["run"] for step in every if "run" in step}
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert version in JOBS["test"]["strategy"]["matrix"]["python"]


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in JOBS if name != GATE])
def test_job_succeeds(name: str, fresh: Path, request: pytest.FixtureRequest) -> None:
    with services(JOBS[name], request) as instead:
        for step in steps(name):
            if step["run"] in CANNOT_RUN:
                pytest.skip(f"{step['run']}: {CANNOT_RUN[step['run']]}")
            run(fresh, step, **instead)


@pytest.mark.long
def test_check_job_rejects_an_outdated_lock_file(fresh: Path) -> None:
    [step] = [step for step in steps("check") if "lock" in step["run"]]
    command(fresh, uv(), "lock", "--quiet")
    run(fresh, step)
    pyproject = fresh / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    pyproject.write_text(text.replace('"uvicorn[standard]>', '"uvicorn>'), encoding="utf-8")
    run(fresh, step, status=1)
    pyproject.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("result", ["success", "failure", "cancelled", "skipped"])
def test_gate_requires_the_success_of_all_jobs(result: str, tmp_path: Path) -> None:
    gate = JOBS[GATE]
    assert gate["if"] == "always()"
    assert set(gate["needs"]) == JOBS.keys() - {GATE}
    [step] = steps(GATE)
    assert step["env"] == {"RESULTS": "${{ join(needs.*.result, ' ') }}"}
    for number in range(len(gate["needs"])):
        results = ["success"] * len(gate["needs"])
        results[number] = result
        status = 0 if result == "success" else 1
        run(tmp_path, step, status, RESULTS=" ".join(results))
