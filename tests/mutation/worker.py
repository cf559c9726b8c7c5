"""A script that runs the tests of a project once for each defect.

It is started in a project with the path of a JSON file of jobs. It imports the libraries only once,
because that takes longer than most runs, and forks for each run: first of some tests and, if these
pass, of the others. The last line of the output is a list of the outcomes as JSON.
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

LIBRARIES = (
    "aiosmtpd.controller",
    "aiosmtplib",
    "aiosqlite",
    "alembic.command",
    "fastapi",
    "httpx",
    "jwt",
    "limits.aio",
    "pwdlib",
    "pydantic_settings",
    "sqlalchemy.ext.asyncio",
    "sqlmodel",
)
BROKEN = 9
NO_TESTS = 5


class Stage:
    """A pytest plugin that selects the tests of a stage, and records the first failure."""

    def __init__(self, stage: dict[str, Any], file: Path) -> None:
        self.only = None if stage["only"] is None else set(stage["only"])
        self.without = set(stage["without"])
        self.file = file

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests of this stage."""
        items[:] = [
            item
            for item in items
            if item.nodeid not in self.without and (self.only is None or item.nodeid in self.only)
        ]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record a failure."""
        if report.failed and not self.file.exists():
            self.file.write_text(report.nodeid, encoding="utf-8")


def import_app() -> None:
    """Import every module except app.main, which reads settings from the environment."""
    sys.path.insert(0, str(Path.cwd()))
    for module in pkgutil.walk_packages(["app"], "app."):
        if module.name != "app.main":
            importlib.import_module(module.name)


def child(stage: dict[str, Any], scratch: Path) -> None:
    """Run tests in this process, and exit."""
    os.setsid()
    with (scratch / "output").open("w", encoding="utf-8") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    try:
        import_app()
    except BaseException as error:
        print(repr(error), flush=True)
        os._exit(BROKEN)
    options = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain"]
    options.append(f"--basetemp={scratch / 'tests'}")
    code = 1
    with contextlib.suppress(BaseException):
        code = pytest.main([*options, *stage["files"]], plugins=[Stage(stage, scratch / "by")])
    sys.stdout.flush()
    os._exit(code)


def run(stage: dict[str, Any], scratch: Path, seconds: float) -> int | None:
    """Run tests in a child process; return its exit status, or None after a timeout."""
    (scratch / "by").unlink(missing_ok=True)
    process = os.fork()
    if not process:
        child(stage, scratch)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return None


def outcome(job: dict[str, Any], scratch: Path) -> dict[str, str]:
    """Run the stages of a job until a test fails, and return the outcome."""
    for stage in job["stages"]:
        code = run(stage, scratch, job["seconds"])
        output = (scratch / "output").read_text(encoding="utf-8")
        if code is None:
            return {"outcome": "timeout", "by": ""}
        if code == BROKEN:
            return {"outcome": "broken", "by": output}
        if code not in {0, NO_TESTS}:
            by = scratch / "by"
            return {"outcome": "killed", "by": by.read_text("utf-8") if by.exists() else output}
    return {"outcome": "survived", "by": ""}


def main() -> None:
    """Run the jobs."""
    jobs_file = Path(sys.argv[1])
    for library in LIBRARIES:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(library)
    gc.freeze()
    found = []
    for job in json.loads(jobs_file.read_text(encoding="utf-8")):
        file = Path(job["file"])
        original = file.read_text(encoding="utf-8")
        file.write_text(job["text"], encoding="utf-8")
        started = time.monotonic()
        try:
            found.append(outcome(job, jobs_file.parent) | {"name": job["name"]})
        finally:
            file.write_text(original, encoding="utf-8")
        if "-v" in sys.argv:
            duration = time.monotonic() - started
            print(f"{duration:.1f}", json.dumps(found[-1])[:300], file=sys.stderr, flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
