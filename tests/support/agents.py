"""AGENTS.md of a rendered project: short, true for the project, and no repetition of the README."""

import re
from pathlib import Path

NAME = "AGENTS.md"
MAX_LINES = 60
# Made by commands, and not committed.
MADE = {".env", ".uv/bin"}
OUTSIDE = "../"


def quoted(text: str) -> list[str]:
    """Return what the page has in backticks."""
    return re.findall(r"`([^`\n]+)`", text)


def paths(text: str) -> set[str]:
    """Return the paths that the page names, also as words of commands and as links."""
    words = {word for each in quoted(text) for word in each.split()}
    named = {
        word
        for word in words
        if re.fullmatch(r"[\w./-]+", word) and ("/" in word or re.search(r"\w\.\w+$|^\.\w", word))
    }
    links = set(re.findall(r"\]\(([^)#]+)", text))
    return {path for path in named | links if not path.startswith(OUTSIDE)} - MADE


def sentences(text: str) -> set[str]:
    """Return the sentences of a page, without line breaks and marks of lists."""
    parts = re.split(r"\n\s*\n|\n\s*(?:-|\d\.|\|)\s|(?<=[.:;])\s", text)
    stripped = {re.sub(r"\s+", " ", part).strip(" .:;|#") for part in parts}
    return {part for part in stripped if len(part.split()) > 3}


def assert_agents_page(project: Path) -> None:
    """Check the page of a project."""
    text = (project / NAME).read_text(encoding="utf-8")
    readme = (project / "README.md").read_text(encoding="utf-8")
    assert not (project / "CLAUDE.md").exists()
    assert len(text.splitlines()) <= MAX_LINES
    assert f"| at the end of `{NAME}` |" in readme

    assert {path for path in paths(text) if not (project / path).exists()} == set()
    makefile = (project / "Makefile").read_text(encoding="utf-8")
    commands = {each.split()[1] for each in quoted(text) if each.startswith("make ")}
    assert {"check", "test", "migration"} <= commands
    assert commands - set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE)) == set()
    example = (project / ".env.example").read_text(encoding="utf-8")
    assert {one for one in re.findall(r"`([A-Z_]+)[=`]", text) if f"{one}=" not in example} == set()
    answers = (project / ".copier-answers.yml").read_text(encoding="utf-8")
    assert all(f"\n{answer}:" in answers for answer in ("fields", "more_resources"))
    code = "".join(
        path.read_text(encoding="utf-8")
        for layer in ("routers", "services")
        for path in sorted((project / "app" / layer).glob("*.py"))
    )
    parameters = [each for each in quoted(text) if each.startswith("scope: ")]
    assert len(parameters) == 2
    assert [each for each in parameters if each not in code] == []

    titles = set(re.findall(r"^#+ (.+)$", readme, re.MULTILINE))
    assert set(re.findall(r"\*([A-Z][^*]+)\*", text)) <= titles
    assert sentences(text) & sentences(readme) == set()
