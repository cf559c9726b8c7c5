"""A release: what has to be true of it, and the copy of it that the tests update from.

    python tools/release.py prepare       before the tag: checks, and writes tests/releases/
    python tools/release.py verify TAG    at the tag: checks all of it, and prints the notes

Copier finds versions by tags that PEP 440 can order. The copies are what `copier copy` reads of a
release, so that the tests of updates need neither tags nor history.
"""

import io
import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parents[1]
RELEASES = ROOT / "tests" / "releases"
# What Copier reads of a template.
PARTS = ("copier.yml", "hooks", "template")
SUFFIX = ".tar.xz"
HEADING = re.compile(r"^## \[(?P<name>[^]]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)


def current() -> str:
    """Return the version of the working tree."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])


def released() -> list[str]:
    """Return the versions that were released, oldest first."""
    names = (path.name.removesuffix(SUFFIX) for path in RELEASES.glob(f"*{SUFFIX}"))
    return sorted(names, key=Version)


def tracked(*paths: str) -> list[str]:
    """Return the tracked files below some paths."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *paths], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [name for name in listed.stdout.split("\0") if name]


def contents() -> dict[str, bytes]:
    """Return the tracked files that make a release, as they are in the working tree."""
    return {name: (ROOT / name).read_bytes() for name in tracked(*PARTS)}


def stored(version: str) -> dict[str, bytes]:
    """Return the files of a released version."""
    found: dict[str, bytes] = {}
    with tarfile.open(RELEASES / f"{version}{SUFFIX}") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                found[member.name] = file.read()
    return found


def store(version: str, files: dict[str, bytes]) -> Path:
    """Write the copy of a release: the same files give the same bytes."""
    path = RELEASES / f"{version}{SUFFIX}"
    with tarfile.open(path, "w:xz", preset=9) as archive:
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def notes(version: str) -> str:
    """Return what the changelog says of a version.

    Raises:
        ValueError: it has no dated section of that name, or nothing in it.
    """
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = list(HEADING.finditer(text))
    for number, heading in enumerate(sections):
        if heading["name"] == version and heading["date"]:
            end = sections[number + 1].start() if number + 1 < len(sections) else len(text)
            said = text[heading.end() : end].strip()
            if said:
                return said
    raise ValueError(
        f"CHANGELOG.md needs a section '## [{version}] - YYYY-MM-DD' that says what changed"
    )


def check_version(version: str, earlier: list[str]) -> None:
    """Refuse a version that Copier would not find, or would not take for the newest.

    Raises:
        ValueError: it is no final version, or not newer than those before.
    """
    try:
        parsed = Version(version)
    except InvalidVersion:
        raise ValueError(f"{version} is no version (PEP 440)") from None
    if f"{parsed.major}.{parsed.minor}.{parsed.micro}" != version:
        raise ValueError(f"{version} is no final version such as 1.2.0")
    if earlier and parsed <= Version(earlier[-1]):
        raise ValueError(f"{version} is not newer than {earlier[-1]}, which is released")


def prepare() -> str:
    """Check the version of pyproject.toml, and write its copy.

    Raises:
        ValueError: it cannot be released, or was.
    """
    version = current()
    if tracked(str(RELEASES / f"{version}{SUFFIX}")):
        raise ValueError(f"{version} is released: give pyproject.toml the next version")
    check_version(version, [name for name in released() if name != version])
    notes(version)
    path = store(version, contents())
    return (
        f"{path.relative_to(ROOT)} is written. Next: commit it, "
        f"git tag {version}, and push both: git push origin main {version}"
    )


def verify(tag: str) -> str:
    """Check that a tag is the release it says it is; return its notes.

    Raises:
        ValueError: it is not.
    """
    if tag != current():
        raise ValueError(f"the tag is {tag}, and pyproject.toml says {current()}")
    if tag not in released():
        raise ValueError(
            f"tests/releases/ has no {tag}: run make release, and commit what it wrote"
        )
    check_version(tag, [name for name in released() if name != tag])
    if stored(tag) != contents():
        raise ValueError(f"tests/releases/{tag}{SUFFIX} is not what this tree holds: make release")
    return notes(tag)


def main(arguments: list[str]) -> None:
    """Do what the command line says; a complaint is one line, and exits with 1."""
    try:
        match arguments:
            case ["prepare"]:
                print(prepare())
            case ["verify", tag]:
                print(verify(tag))
            case _:
                sys.exit("usage: python tools/release.py prepare | verify TAG")
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
