"""The commands of the README: rendering from a repository, updating, and `make demo`."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.commands import COPIER, command, commit, shell_environment
from tests.support.rendering import ROOT, copy_template


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of the template with a released version."""
    repository = copy_template(tmp_path_factory.mktemp("released") / "todo-backend-template")
    commit(repository)
    command(repository, "git", "tag", "1.0.0")
    return repository


def test_copy_and_update_work_without_trust(released: Path, tmp_path: Path) -> None:
    project = tmp_path / "app"
    command(tmp_path, *COPIER, "copy", "--defaults", str(released), str(project))
    assert "_commit: 1.0.0" in (project / ".copier-answers.yml").read_text(encoding="utf-8")
    commit(project)
    files = command(project, "git", "ls-files").stdout.splitlines()
    command(project, *COPIER, "update", "--defaults")
    assert command(project, "git", "status", "--porcelain").stdout == ""
    command(project, *COPIER, "update", "--defaults", "--data", "pagination=cursor")
    changed = command(project, "git", "diff", "--name-only").stdout.split()
    assert "app/db/pagination.py" in changed
    assert len(changed) < len(files) / 2


def test_invalid_answers_are_reported_and_nothing_is_written(
    released: Path, tmp_path: Path
) -> None:
    answers = ("--data", "resource_name=Class", "--data", "api_prefix=api")
    done = command(
        tmp_path, *COPIER, "copy", "--defaults", *answers, str(released), "app", status=1
    )
    assert not (tmp_path / "app").exists()
    assert "Traceback" not in done.stderr
    assert "resource_name" in done.stderr
    assert "api_prefix" in done.stderr


def listens(port: int) -> bool:
    """Return whether a server listens on a port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextmanager
def demo(checkout: Path, port: int) -> Iterator[None]:
    """Run `make demo`, and wait until it accepts connections."""
    log = checkout.parent / "demo.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            ["make", "demo"],
            cwd=checkout,
            env={**shell_environment(), "PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            while not listens(port):
                assert process.poll() is None, log.read_text(encoding="utf-8")
                time.sleep(0.1)
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            while listens(port):
                time.sleep(0.1)


@pytest.mark.long
def test_demo_isolates_users_and_keeps_data(tmp_path: Path) -> None:
    """Run `make demo` in a new checkout with the commands of the README, twice."""
    checkout = copy_template(tmp_path / "checkout")
    for name in ("Makefile", "pyproject.toml", "README.md", ".gitignore"):
        shutil.copy2(ROOT / name, checkout)
    commit(checkout)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [script] = re.findall(r"```sh\n(API=.*?)```", readme, flags=re.DOTALL)
    script = script.replace(":8000", f":{port}")
    with demo(checkout, port):
        *_, created, ada, bob = command(checkout, "sh", "-euc", script).stdout.splitlines()
        assert json.loads(created)["title"] == "Water the plants"
        assert [row["title"] for row in json.loads(ada)["items"]] == ["Water the plants"]
        assert json.loads(bob)["items"] == []
    assert command(checkout, "git", "status", "--porcelain").stdout == ""
    with demo(checkout, port):
        kept = script.replace("sign_in register", "true")
        *_, ada, bob = command(checkout, "sh", "-euc", kept).stdout.splitlines()
        assert len(json.loads(ada)["items"]) == 2
        assert json.loads(bob)["items"] == []
