"""Ask the questions of copier.yml and run the hooks, but render only the recorded answers."""

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
# Copier reports a rejected answer as an undefined attribute whose name is the message.
PREFIX = "'dict object' has no attribute "


def questionnaire(home: Path, *, derived: bool = False) -> Path:
    """Create a template that records its answers and renders nothing else.

    The lists that hooks/derive/ makes are empty, unless `derived` is true.
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
    """Answer the questions, and return the path of the recorded answers."""
    copier.run_copy(
        str(template),
        project,
        data=answers,
        **{"defaults": True, "quiet": True, "unsafe": False, **options},
    )
    return project / ANSWERS


def rejection(template: Path, project: Path, answers: dict[str, Any]) -> str:
    """Return the message that rejects answers: one line, and nothing is written."""
    try:
        answer(template, project, answers)
    except UserMessageError as error:
        message = str(error.message)
    else:
        message = ""
    assert message, f"accepted: {json.dumps(answers, default=str, ensure_ascii=False)[:300]}"
    assert not project.exists(), "files were written"
    assert message.isprintable(), message
    assert message.startswith(PREFIX), message
    return message.removeprefix(PREFIX)[1:-1]
