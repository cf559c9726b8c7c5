"""AGENTS.md; `tests/rendered/test_cells.py` checks that of each cell."""

from pathlib import Path

import pytest

from tests.conftest import Render
from tests.support.agents import NAME, assert_agents_page, paths, sentences


def test_page_is_short_and_true(project: Path) -> None:
    assert_agents_page(project)


@pytest.mark.parametrize(
    ("answers", "line"),
    [
        ({}, "as for one that is missing (404). Test that with a second user."),
        ({"foreign_access": "forbidden"}, "403 for a row of another user. Test that"),
        ({"user_scoped": False}, "no table has an owner"),
        ({"route_scope": "path"}, "takes `scope: OwnScopeDep`"),
        ({"route_scope": "path", "user_scoped": False}, "takes `scope: ScopeDep`"),
    ],
)
def test_page_has_the_rules_of_the_answers(
    answers: dict[str, object], line: str, render: Render
) -> None:
    project = render(**answers)
    assert line in (project / NAME).read_text(encoding="utf-8")
    assert_agents_page(project)


def test_paths_and_sentences_are_found() -> None:
    text = "Run `make x a/b.py` in `.env.example`.\n- See [this page](c/d.md#e), and not `.env`.\n"
    assert paths(text) == {"a/b.py", ".env.example", "c/d.md"}
    assert sentences("One two\nthree four. Short one.\n- Five six, seven eight:\n") == {
        "One two three four",
        "Five six, seven eight",
    }
