"""Prepare and verify releases.

    python tools/release.py prepare       before tagging: check, and write to tests/releases/
    python tools/release.py verify TAG    at the tag: check, and print the release notes

Copier finds versions by tags, which it orders by PEP 440. A copy in tests/releases/ contains the
files that `copier copy` reads, so that the tests of updates need neither tags nor history.
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
# The files that Copier reads.
PARTS = ("copier.yml", "hooks", "template")
SUFFIX = ".tar.xz"
HEADING = re.compile(r"^## \[(?P<name>[^]]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)


def current() -> str:
    """Return the version of the working tree."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])


def released() -> list[str]:
    """Return the released versions, oldest first."""
    names = (path.name.removesuffix(SUFFIX) for path in RELEASES.glob(f"*{SUFFIX}"))
    return sorted(names, key=Version)


def tracked(*paths: str) -> list[str]:
    """Return the tracked files below paths."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *paths], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [name for name in listed.stdout.split("\0") if name]


def contents() -> dict[str, bytes]:
    """Return the files of a release, with their content in the working tree."""
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
    """Write the copy of a release, which is reproducible."""
    path = RELEASES / f"{version}{SUFFIX}"
    with tarfile.open(path, "w:xz", preset=9) as archive:
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def notes(version: str) -> str:
    """Return the changelog's section of a version.

    Raises:
        ValueError: the section is missing, empty or without a date.
    """
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = list(HEADING.finditer(text))
    for number, heading in enumerate(sections):
        if heading["name"] == version and heading["date"]:
            end = sections[number + 1].start() if number + 1 < len(sections) else len(text)
            section = text[heading.end() : end].strip()
            if section:
                return section
    raise ValueError(f"CHANGELOG.md needs a section '## [{version}] - YYYY-MM-DD' with the changes")


def check_version(version: str, earlier: list[str]) -> None:
    """Check that Copier would treat a version as the newest release.

    Raises:
        ValueError: it is not a final version, or not newer than the earlier ones.
    """
    try:
        parsed = Version(version)
    except InvalidVersion:
        raise ValueError(f"{version} is not a valid version (PEP 440)") from None
    if f"{parsed.major}.{parsed.minor}.{parsed.micro}" != version:
        raise ValueError(f"{version} is not a final version such as 1.2.0")
    if earlier and parsed <= Version(earlier[-1]):
        raise ValueError(f"{version} is not newer than the release {earlier[-1]}")


def prepare() -> str:
    """Check the version in pyproject.toml, write the copy, and return the next steps.

    Raises:
        ValueError: the version cannot be released, or was released before.
    """
    version = current()
    if tracked(str(RELEASES / f"{version}{SUFFIX}")):
        raise ValueError(f"{version} is already released: set the next version in pyproject.toml")
    check_version(version, [name for name in released() if name != version])
    notes(version)
    path = store(version, contents())
    return (
        f"Wrote {path.relative_to(ROOT)}. Next: commit it, "
        f"git tag {version}, and push both: git push origin main {version}"
    )


def verify(tag: str) -> str:
    """Check that the working tree is the release of a tag, and return its notes.

    Raises:
        ValueError: the version, the copy or the changelog does not match.
    """
    if tag != current():
        raise ValueError(f"the tag is {tag}, but the version in pyproject.toml is {current()}")
    if tag not in released():
        raise ValueError(f"tests/releases/ has no {tag}: run make release, and commit the file")
    check_version(tag, [name for name in released() if name != tag])
    if stored(tag) != contents():
        raise ValueError(f"tests/releases/{tag}{SUFFIX} differs from this tree: run make release")
    return notes(tag)


def main(arguments: list[str]) -> None:
    """Run a command; an error is printed as one line, with exit status 1."""
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
