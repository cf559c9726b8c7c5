"""The command that writes the types of the TypeScript client, and its check."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from scripts import client
from scripts.impact import ImpactError

API = {"openapi": "3.1.0", "paths": {}, "info": {"title": "A", "version": "1"}}


@pytest.fixture(autouse=True)
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """The document of an API, in a project whose client has no types."""
    (tmp_path / client.TYPES).parent.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    document: dict[str, Any] = json.loads(json.dumps(API))
    monkeypatch.setattr(client, "load", lambda: document)
    return document


@pytest.fixture
def npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A program that logs its arguments, and writes the file of `--output`."""
    program = tmp_path / "npm"
    program.write_text(
        '#!/bin/sh\necho "$@" >> log\n[ "$1" != "$(cat fails 2>/dev/null)" ] || exit 1\n'
        'for each; do case "$each" in --output=*) echo "export {};" > "${each#*=}";; esac; done\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(program))
    return tmp_path / client.CLIENT


def without_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide Node.js."""
    monkeypatch.setattr(shutil, "which", lambda _: None)


def test_types_that_are_not_written_yet(capsys: pytest.CaptureFixture[str]) -> None:
    assert client.main(["check"]) is None
    assert "`make client`" in capsys.readouterr().out


def test_types_match_until_the_api_changes(npm: Path, api: dict[str, Any]) -> None:
    assert client.main([]) is None
    assert client.TYPES.read_text(encoding="utf-8").endswith("\nexport {};\n")
    commands = (npm / "log").read_text(encoding="utf-8").splitlines()
    assert [command.split()[0] for command in commands] == ["install", "exec", "run"]
    assert client.main(["check"]) is None
    api["paths"] = dict(reversed(api["paths"].items()))
    assert client.main(["check"]) is None

    api["info"]["title"] = "B"
    error = client.main(["check"])
    assert error is not None
    assert "`make client`, and" in error


def test_check_says_that_node_is_missing(
    npm: Path, api: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client.main([])
    without_node(monkeypatch)
    assert client.main(["check"]) is None
    api["info"]["title"] = "B"
    assert client.NODE in str(client.main(["check"]))


def test_nothing_is_written_without_node(monkeypatch: pytest.MonkeyPatch) -> None:
    without_node(monkeypatch)
    assert client.NODE in str(client.main([]))
    assert not client.TYPES.exists()


@pytest.mark.parametrize(
    ("command", "message"),
    [("install", "npm install"), ("exec", "npm exec"), ("run", "does not compile")],
)
def test_commands_that_fail(npm: Path, command: str, message: str) -> None:
    (npm / "fails").write_text(command, encoding="utf-8")
    assert message in str(client.main([]))
    assert client.TYPES.exists() == (command == "run")


def test_an_app_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ImpactError("the app of the project cannot be imported")

    client.TYPES.write_text("// Old.\n", encoding="utf-8")
    monkeypatch.setattr(client, "load", fail)
    assert client.main(["check"]) == "the app of the project cannot be imported"
