"""Tell what the working tree changes, compared with a commit: the API, the tables, the files.

Exits with 1 if a change breaks clients of the API.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from scripts import migrations
from scripts.openapi_changes import compare
from scripts.openapi_schemas import Change
from scripts.sql_locks import lock, statements

VERSIONS = "migrations/versions"
# How much one screen holds.
MAX_COMPATIBLE = 8
MAX_WIDTH = 100
# Places with the same change, from which on they share lines.
MANY = 4

# Writes the OpenAPI document of the tree that PYTHONPATH names.
DUMP = """
import json, pathlib
from scripts.create_env import main
main()
from app.main import app
pathlib.Path("openapi.json").write_text(json.dumps(app.openapi()), encoding="utf-8")
"""


class ImpactError(Exception):
    """The comparison cannot be made."""


def git(*arguments: str) -> bytes:
    """Run git, and return its output.

    Raises:
        ImpactError: git is missing or fails.
    """
    command = shutil.which("git")
    if command is None:
        raise ImpactError("git is not installed, so there is nothing to compare with")
    done = subprocess.run([command, *arguments], capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        raise ImpactError(done.stderr.decode(errors="replace").strip())
    return done.stdout


def names(*arguments: str) -> list[str]:
    """Return the file names that git prints."""
    return [name.decode(errors="replace") for name in git(*arguments).split(b"\0") if name]


def resolve(base: str) -> str:
    """Return the hash and the subject of the commit to compare with.

    Raises:
        ImpactError: there is no repository, or no such commit.
    """
    try:
        git("rev-parse", "--git-dir")
    except ImpactError as error:
        if "not a git repository" not in str(error):
            raise
        raise ImpactError("not a git repository: run `git init`, and commit the files") from None
    try:
        commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", base + "^{commit}")
    except ImpactError:
        advice = "commit the files first" if base == "HEAD" else "`git branch --all` lists branches"
        raise ImpactError(f"there is no commit {base}: {advice}") from None
    return commit.decode().strip()


def printable(text: str) -> str:
    """Return one line without control characters: names in documents and files are data."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def shortened(text: str, width: int = MAX_WIDTH) -> str:
    """Return the beginning of a line."""
    line = printable(text)
    return line if len(line) <= width else f"{line[: width - 1]}…"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def requirements(tree: Path) -> Any:
    """Return the requirements of a tree."""
    text = (tree / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"]["dependencies"]


def document(tree: Path, title: str) -> dict[str, Any]:
    """Return the OpenAPI document of a tree, with the settings of its `.env.example`.

    A tree with other requirements gets an environment of its own, which uv creates.

    Raises:
        ImpactError: its app cannot be imported.
    """
    variables = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    python = [sys.executable]
    uv = os.environ.get("UV")
    if uv and requirements(tree) != requirements(Path()):
        variables.pop("UV_PROJECT_ENVIRONMENT", None)
        variables.pop("VIRTUAL_ENV", None)
        options = ["--quiet", "--no-dev", "--project", str(tree), "--python", sys.executable]
        python = [uv, "run", *options, "python"]
    if not (tree / ".env.example").exists():
        raise ImpactError(f"{title} has no .env.example, whose settings the app is created with")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(tree / ".env.example", folder)
        done = subprocess.run(  # noqa: S603
            [*python, "-c", DUMP],
            cwd=folder,
            env=variables,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            output = done.stderr.decode(errors="replace").strip().splitlines()[-4:]
            raise ImpactError("\n".join([f"the app of {title} cannot be imported:", *output]))
        text = Path(folder, "openapi.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def api_changes(commit: str, base: str) -> list[Change]:
    """Compare the OpenAPI documents of the commit and of the working tree."""
    with tempfile.TemporaryDirectory() as folder:
        archive = git("archive", "--format=zip", commit)
        zipfile.ZipFile(io.BytesIO(archive)).extractall(folder)
        old = document(Path(folder), base)
    return compare(old, document(Path.cwd(), "the working tree"))


def packed(line: str, places: list[str]) -> Iterator[str]:
    """Yield lines with as many places as fit on each."""
    for place in places:
        if len(line) + len(place) > MAX_WIDTH:
            yield line
            line = "   "
        line += f" {place}," if place is not places[-1] else f" {place}"
    yield line


def grouped(changes: list[Change]) -> Iterator[str]:
    """Yield lines for each kind of change, with the places where it happens."""
    for text, same in groupby(changes, key=lambda change: change.text):
        places = [printable(change.where) for change in same]
        if len(places) < MANY:
            yield from (f"  {place}: {printable(text)}" for place in places)
        else:
            yield from packed(f"  {printable(text)}:", places)


def report_api(changes: list[Change]) -> Iterator[str]:
    """Yield what the changes of the API mean for clients."""
    breaking = [change for change in changes if change.breaking]
    compatible = list(grouped([change for change in changes if not change.breaking]))
    yield f"API: {counted(len(breaking), 'change')} that {'breaks' if len(breaking) == 1 else 'break'} clients"
    yield from grouped(breaking)
    if compatible:
        yield "API: compatible changes"
        yield from compatible[:MAX_COMPATIBLE]
        if len(compatible) > MAX_COMPATIBLE:
            yield f"  and {counted(len(compatible) - MAX_COMPATIBLE, 'more line')}"


def pending(commit: str) -> list[Script]:
    """Return the revisions that the commit does not have, in the order in which they run."""
    listed = names("ls-tree", "-z", "--name-only", commit, f"{VERSIONS}/")
    known = {Path(name).name for name in listed}
    directory = ScriptDirectory.from_config(Config(toml_file="pyproject.toml"))
    scripts = reversed(list(directory.walk_revisions()))
    return [script for script in scripts if Path(script.path).name not in known]


def report_revision(script: Script) -> Iterator[str]:
    """Yield the SQL of one revision, with its locks."""
    phase = getattr(script.module, "phase", "before")
    yield shortened(f"  {Path(script.path).name} (phase: {phase})")
    start = script.down_revision or "base"
    if not isinstance(start, str):
        yield "    joins two branches"
        return
    try:
        sql = migrations.offline_sql(start, script.revision)
    except CommandError as error:
        yield shortened(f"    no SQL: {error}")
        return
    for statement in statements(sql):
        name, blocks = lock(statement)
        yield shortened(f"    {statement}")
        yield f"      {name}: {blocks}"


def report_tables(commit: str) -> Iterator[str]:
    """Yield what the pending revisions do, and whether one is missing."""
    revisions = pending(commit)
    yield f"Tables: {counted(len(revisions), 'new revision')}"
    for script in revisions:
        yield from report_revision(script)
    command = [sys.executable, "-m", "scripts.migrations", "check"]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        output = (done.stdout + done.stderr).decode(errors="replace").strip()
        yield from (shortened(f"  {line}") for line in output.splitlines()[-2:])


def report_files(commit: str) -> Iterator[str]:
    """Yield the files that are deleted."""
    options = ("--no-renames", "--diff-filter=D", "--name-only", "--relative", "-z")
    deleted = names("diff", *options, commit, "--", ".")
    yield f"Files: {counted(len(deleted), 'file')} deleted"
    yield from (f"  {printable(name)}" for name in deleted)


def main(base: str) -> int:
    """Print the impact, and return the exit status."""
    try:
        commit = resolve(base)
        changes = api_changes(commit, base)
        lines = [*report_api(changes), *report_tables(commit), *report_files(commit)]
    except ImpactError as error:
        sys.stderr.write(f"impact: {error}\n")
        return 2
    sys.stdout.write(printable(f"Compared with {base} ({commit[:12]}):") + "\n")
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return int(any(change.breaking for change in changes))


if __name__ == "__main__":
    sys.exit(main(os.environ.get("BASE") or "HEAD"))
