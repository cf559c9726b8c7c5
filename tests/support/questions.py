"""Ask the questions without the product: copier.yml, its hooks, a template of one file."""

import json
import shutil
from pathlib import Path
from typing import Any

import copier
from copier.errors import UserMessageError

from tests.support.rendering import ROOT

ANSWERS = ".copier-answers.yml"
RECORD = "{% from 'hooks/check/given.jinja' import recorded with context %}{{ recorded() }}"
NOTHING_DERIVED = """
{% macro derived_resources() %}[]{% endmacro %}
{% macro derived_features() %}{}{% endmacro %}
"""
PREFIX = "'dict object' has no attribute "


def questionnaire(home: Path, *, derived: bool = False) -> Path:
    """A template that records its answers and renders nothing else.

    `derived` keeps the real derivation.
    """
    home.mkdir(parents=True)
    shutil.copy(ROOT / "copier.yml", home)
    shutil.copytree(ROOT / "hooks", home / "hooks")
    (home / "template").mkdir()
    (home / "template" / "{{ _copier_conf.answers_file }}.jinja").write_text(RECORD, "utf-8")
    if not derived:
        (home / "hooks" / "derive" / "answers.jinja").write_text(NOTHING_DERIVED, "utf-8")
    return home


def answer(template: Path, project: Path, answers: dict[str, Any], **options: Any) -> Path:  # noqa: ANN401
    """Answer the questions; the file of recorded answers."""
    copier.run_copy(
        str(template),
        project,
        data=answers,
        **{"defaults": True, "quiet": True, "unsafe": False, **options},
    )
    return project / ANSWERS


def complaint(template: Path, project: Path, answers: dict[str, Any]) -> str:
    """What is said about wrong answers: one line, and nothing is written."""
    try:
        answer(template, project, answers)
    except UserMessageError as error:
        message = str(error.message)
    else:
        message = ""
    assert message, f"accepted: {json.dumps(answers, default=str, ensure_ascii=False)[:300]}"
    assert not project.exists(), "something was written"
    assert message.isprintable(), message
    assert message.startswith(PREFIX), message
    return message.removeprefix(PREFIX)[1:-1]
