"""The client in TypeScript: it compiles, and works in Node against a served project."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.better_auth import run_better_auth
from tests.support.environment import Environment
from tests.support.npm import install, missing_programs
from tests.support.preset_server import SECRET, serve
from tests.support.rendering import ROOT, render

SOURCE = ROOT / "tests" / "rendered" / "typescript_client"
NEXTJS = ROOT / "tests" / "rendered" / "nextjs"
ALL = os.environ.get("TEST_CLIENTS") == "all"
# The walk of the same name is in the folder.
ANSWERS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "strict": {
        "id_type": "int",
        "update_method": "put",
        "pagination": "list",
        "error_format": "envelope",
        "idempotency": True,
        "route_scope": "path",
        "mail": True,
    },
    "external": {"auth": "external"},
}
NIGHTLY = pytest.mark.skipif(not ALL, reason="only runs with TEST_CLIENTS=all")
PARAMS = [pytest.param(name, marks=[NIGHTLY] * (name != "defaults")) for name in ANSWERS]
DEPENDENCIES = ("dependencies", "devDependencies", "engines")
# A file in the documentation, with its path in the first line.
EXAMPLE = re.compile(r"^```tsx?\n// (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TIMEOUT_IN_SECONDS = 120

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        bool(missing_programs()), reason=f"the client requires {' and '.join(missing_programs())}"
    ),
]


@dataclass(frozen=True)
class Client:
    """The client of a rendered project, whose types have been written."""

    name: str
    project: Path

    @property
    def folder(self) -> Path:
        """The folder with its package."""
        return self.project / "client"

    @property
    def walk(self) -> str:
        """The file name of its walk."""
        return f"{self.name}.ts"


def run(folder: Path, *command: str) -> str:
    """Run a command that must succeed, and return its output."""
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_IN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command} exited {done.returncode}\n{done.stdout}"
    return done.stdout


def read_package(folder: Path) -> dict[str, Any]:
    """Return the requirements in a package.json."""
    package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    return {name: package.get(name) for name in DEPENDENCIES}


@pytest.fixture(scope="module", params=PARAMS)
def client(
    request: pytest.FixtureRequest,
    template: Path,
    environment: Environment,
    tmp_path_factory: pytest.TempPathFactory,
) -> Client:
    """The client of a project after `make client`, with packages of fixed versions.

    The walks are compiled with it.
    """
    root = tmp_path_factory.mktemp("client")
    answers = ANSWERS[request.param] | {"client": "typescript"}
    made = Client(request.param, render(template, root / "project", answers))
    assert read_package(made.folder) == read_package(SOURCE), "renew package-lock.json as well"
    home = install(SOURCE)
    shutil.copytree(home / "node_modules", made.folder / "node_modules", symlinks=True)
    shutil.copy2(home / "package-lock.json", made.folder)
    walks = made.folder / "src" / "walks"
    walks.mkdir()
    for name in ("steps.ts", made.walk):
        shutil.copy2(SOURCE / "walks" / name, walks)
    environment.check(made.project, "python", "-m", "scripts.client")
    return made


@NIGHTLY
def test_types_match_the_api_until_it_changes(client: Client, environment: Environment) -> None:
    command = ("python", "-m", "scripts.client", "check")
    environment.check(client.project, *command)
    package = client.project / "app" / "__init__.py"
    before = package.read_text(encoding="utf-8")
    package.write_text(before.replace('TITLE = "', 'TITLE = "New '), encoding="utf-8")
    try:
        done = environment.run(client.project, *command)
    finally:
        package.write_text(before, encoding="utf-8")
    assert (done.returncode, "run `make client`" in done.stdout) == (1, True), done.stdout


def test_lock_file_names_no_registry(client: Client) -> None:
    assert "resolved" not in (client.folder / "package-lock.json").read_text(encoding="utf-8")


@pytest.fixture
def arguments(
    client: Client, environment: Environment, tmp_path: Path
) -> Iterator[tuple[str, ...]]:
    """The arguments of a walk: where the project is served, and what else it needs.

    That is the issuer with the sessions of two users, or the log with the mails.
    """
    with ExitStack() as stack:
        settings: dict[str, str] = {}
        further: tuple[str, ...] = ()
        if ANSWERS[client.name].get("auth") == "external":
            issuer = stack.enter_context(run_better_auth(tmp_path / "better-auth.log"))
            settings = issuer.settings
            sessions = (issuer.sign_up(name).opaque_token for name in ("Ada", "Bob"))
            further = (issuer.origin, *sessions)
        if ANSWERS[client.name].get("mail"):
            settings = {"JWT_SECRET_KEY": SECRET, "REQUIRE_VERIFIED_EMAIL": "true"}
            further = (str(client.project.with_suffix(".log")),)
        url = f"sqlite:///{tmp_path / 'app.db'}"
        api = stack.enter_context(serve(environment, client.project, url, **settings))
        yield (f"http://127.0.0.1:{api.port}", *further)


def test_walk(client: Client, arguments: tuple[str, ...]) -> None:
    output = run(client.folder, "node", f"dist/walks/{client.name}.js", *arguments)
    steps = (SOURCE / "walks" / client.walk).read_text(encoding="utf-8").count("\ndone(")
    assert output.count("ok: ") == steps > 0, output


def test_example_with_nextjs_compiles(client: Client, tmp_path: Path) -> None:
    page = client.project / "docs" / "nextjs.md"
    assert page.exists() == (ANSWERS[client.name].get("auth") == "external")
    if not page.exists():
        return
    files = EXAMPLE.findall(page.read_text(encoding="utf-8"))
    assert len(files) == page.read_text(encoding="utf-8").count("```ts") > 0
    for name, text in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    home = install(NEXTJS)
    shutil.copy2(home / "tsconfig.json", tmp_path)
    shutil.copytree(home / "node_modules", tmp_path / "node_modules", symlinks=True)
    package = tmp_path / "node_modules" / "todo-backend-client"
    shutil.copytree(client.folder / "dist", package / "dist")
    shutil.copy2(client.folder / "package.json", package)
    run(tmp_path, "npx", "--no-install", "tsc")
