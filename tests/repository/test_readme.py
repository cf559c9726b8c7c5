"""The tables and examples of the README match the files that they describe."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cells import CELLS
from tests.support.environment import requirements
from tests.support.hooks import module
from tests.support.rendering import ROOT, choices, questions, render

README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = re.compile(r"`([^`]+)`")
COMPUTED = "*computed*"


@cache
def table(first_heading: str) -> list[list[str]]:
    """Return the rows of the tables whose first column has this heading."""
    rows: list[list[str]] = []
    inside = False
    for line in README.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("| ---"):
            rows.append(cells)
        elif cells[0].strip("| ") == first_heading:
            inside = True
    return rows


def as_in_readme(value: Any) -> str:  # noqa: ANN401
    """Format a value as the README does: as YAML, except for strings."""
    return value if isinstance(value, str) else yaml.safe_dump(value).splitlines()[0]


def test_every_question_has_a_row() -> None:
    assert [CODE.findall(row[0]) for row in table("question")] == [[name] for name in questions()]


@pytest.mark.parametrize("row", table("question"), ids=lambda row: row[0].strip("`"))
def test_row_has_the_values_and_default_of_its_question(row: list[str]) -> None:
    question = questions()[row[0].strip("`")]
    default, offered = question["default"], choices(question)
    if row[0] == "`fields`":
        assert row[1] == "the todo fields below"
        return
    if re.search("{[{%]", str(default)) and row[0] != "`more_resources`":
        assert row[1].startswith(COMPUTED)
        assert CODE.findall(row[1]) == offered
        return
    if row[0] == "`more_resources`":
        default = []
        assert "[]" in question["default"]
    expected = [default, *(value for value in offered if value != default)]
    assert CODE.findall(row[1]) == [as_in_readme(value) for value in expected]


def test_default_fields_match_the_question() -> None:
    [shown] = re.findall(r"```yaml\n(title:.*?)```", README, flags=re.DOTALL)
    asked = questions()["fields"]["default"]
    assert all(line in asked for line in shown.splitlines())
    assert len(yaml.safe_load(shown)) == sum(": {type: " in line for line in asked.splitlines())


def test_field_types_and_options_match_the_checks() -> None:
    shown = {
        name: set(
            CODE.findall(re.sub(r"`(future): true`", r"`\1`", row[2].split(": `restrict")[0]))
        )
        for row in table("type")
        for name in CODE.findall(row[0])
    }
    known = module("check/options")
    assert shown == {name: set(options) for name, options in known.OPTIONS.items()}
    [common] = re.findall(r"Every type takes(.*?)\. Names", README, flags=re.DOTALL)
    assert {"type", *CODE.findall(common)} == set(known.COMMON)


def listed_packages(rows: list[list[str]]) -> set[str]:
    """Return the packages in the first column."""
    return {name for row in rows for name in CODE.findall(row[0])}


def package_names(entries: set[str]) -> set[str]:
    """Return the packages of requirements, with extras."""
    return {re.split(r"[<>=~! ]", entry)[0] for entry in entries}


def test_packages_match_the_requirements(template: Path, tmp_path: Path) -> None:
    needed = package_names(
        requirements(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8")))
    )
    for number, answers in enumerate(CELLS.values()):
        only = ["*", "!pyproject.toml"]
        project = render(template, tmp_path / str(number), answers, exclude=only)
        pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
        needed |= package_names(requirements(pyproject))
    needed = {name for name in needed if name != "pyjwt[crypto]"}
    assert listed_packages(table("package")) == needed


def test_commands_match_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*##", makefile, flags=re.MULTILINE)) - {"help", "setup"}
    assert {
        name.removeprefix("make ") for row in table("command") for name in CODE.findall(row[0])
    } == targets


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")),
    ],
)
def test_link_targets_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    folder = (ROOT / page).parent
    assert [target for target in targets if not (folder / target).exists()] == []
