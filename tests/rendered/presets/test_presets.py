"""The presets are complete sets of answers."""

import re

import pytest

from tests.support.cells import CELLS
from tests.support.presets import PRESETS, RICH
from tests.support.rendering import ROOT, questions


def test_presets_exist() -> None:
    assert PRESETS.keys() == {
        "backend-builder",
        "backend-engineer",
        "backend-scaffolder",
        "fastapi-sqlmodel-generator",
        "phase-three",
        "todo-fullstack",
    }


def test_presets_and_rich_answers_are_cells() -> None:
    for name, answers in (PRESETS | RICH).items():
        assert CELLS[name] == answers


@pytest.mark.parametrize("name", PRESETS)
def test_preset_answers_all_questions(name: str) -> None:
    """A changed default must not change a preset; only computed answers can be omitted."""
    answers = PRESETS[name]
    computed = {"project_slug", "resource_plural", "more_resources", "user_id_type"}
    assert list(answers) == [
        each for each in questions() if each in answers or each not in computed
    ]


@pytest.mark.parametrize("name", PRESETS)
def test_preset_has_a_description(name: str) -> None:
    text = (ROOT / "presets" / f"{name}.yml").read_text(encoding="utf-8")
    header = text.partition("project_name:")[0]
    assert header.startswith(f"# {name}: ")
    assert "Where this differs from the design" in header
    assert all(line.startswith("#") for line in header.splitlines())


def test_readme_lists_the_presets() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[`(.+?)`\]\(presets/(.+?)\.yml\) \|", readme, flags=re.MULTILINE)
    assert sorted(rows) == [(name, name) for name in PRESETS]
