"""The questions: accepted and rejected answers, messages, and recorded answers."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml
from copier._user_data import Question
from copier.errors import UserMessageError
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from tests.answers import bad, good
from tests.support.commands import commit
from tests.support.hooks import environment, module
from tests.support.questions import answer, questionnaire, rejection
from tests.support.rendering import ROOT, fast_copier, questions
from tests.support.updating import publish

SECONDS = 60
ENTER = "\r"
END = "\x1b\r"
MAX_SHOWN_CHARACTERS = 42


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("questions")
    with fast_copier():
        yield questionnaire(home / "template")


@pytest.fixture(scope="module")
def deriving(template: Path) -> Path:
    """A template that also derives lists from the answers."""
    return questionnaire(template.parent / "deriving", derived=True)


def cases(families: dict[str, list[Any]]) -> list[Any]:
    return [
        pytest.param(case, id=f"{family}-{number}")
        for family, members in families.items()
        for number, case in enumerate(members)
    ]


def read(recorded: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(recorded.read_text(encoding="utf-8"))
    return {name: value for name, value in loaded.items() if not name.startswith("_")}


@pytest.mark.parametrize("case", cases(bad.BAD))
def test_bad_answer_is_named_and_nothing_is_written(
    template: Path, tmp_path: Path, case: bad.Case
) -> None:
    answers, words = case
    message = rejection(template, tmp_path / "project", answers)
    for word in words:
        assert word in message.replace("\\'", "'")


@pytest.mark.parametrize("answers", cases(good.GOOD))
def test_unusual_answer_is_accepted_and_recorded(
    deriving: Path, tmp_path: Path, answers: dict[str, Any]
) -> None:
    recorded = read(answer(deriving, tmp_path / "project", answers))
    for name, value in answers.items():
        if not name.startswith("_") and not isinstance(value, str):
            assert recorded[name] == value


def test_there_are_enough_cases() -> None:
    assert sum(map(len, bad.BAD.values())) >= 60
    assert sum(map(len, good.GOOD.values())) >= 60


def test_every_question_has_a_rejected_case() -> None:
    named = {
        question
        for cases in bad.BAD.values()
        for answers, words in cases
        for question in answers
        if any(question in word for word in words)
    }
    assert questions().keys() <= named


def test_one_message_names_all_invalid_answers(template: Path, tmp_path: Path) -> None:
    message = rejection(
        template,
        tmp_path / "project",
        {
            "project_name": "a\tb",
            "resource_name": "Task",
            "api_prefix": "api",
            "fields": {"id": "str", "n": {"type": "int", "default": "x"}, "from": "text"},
        },
    )
    assert message.startswith("6 wrong answers: ")
    for name in ("project_name", "resource_name", "api_prefix", "fields.id"):
        assert f"{name}: " in message
    assert "fields.n.default: " in message
    assert "fields.from: " in message


def test_message_truncates_long_values(template: Path, tmp_path: Path) -> None:
    message = rejection(template, tmp_path / "project", {"resource_name": "X" * 5000})
    assert "X" * 39 + "…" in message
    assert "X" * MAX_SHOWN_CHARACTERS not in message


@pytest.mark.parametrize(
    ("answers", "name"),
    [
        ("id_type: UUID", "id_type"),
        ("feilds: {}", "feilds"),
        ("resource_name: class", "resource_name"),
        ("fields: {done: {type: enum, choices: [yes, no]}}", "fields.done.choices"),
        ("fields: {2024-01-01: str}", "2024-01-01"),
        ("fields: {yes: str}", "fields.True"),
        ('project_name: "a\\u0000\\u2028\\ud800b"', "project_name"),
    ],
)
def test_command_line_prints_one_line_and_exits_with_1(
    template: Path, tmp_path: Path, answers: str, name: str
) -> None:
    (tmp_path / "answers.yml").write_text(answers, encoding="utf-8")
    command = [sys.executable, "-m", "copier", "copy", "--defaults"]
    done = subprocess.run(
        [*command, "--data-file", "answers.yml", str(template), "project"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert name in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "project").exists()


def test_data_options_are_parsed_as_yaml(template: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "copier", "copy", "--defaults", "--quiet"]
    given = ["timestamps=no", "operations=[]", "fields={b: str, a: int}", "id_type=int"]
    subprocess.run(
        [*command, *(f"--data={pair}" for pair in given), str(template), "project"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        timeout=SECONDS,
        check=True,
    )
    recorded = read(tmp_path / "project" / ".copier-answers.yml")
    assert recorded["timestamps"] is False
    assert list(recorded["fields"].items()) == [("b", "str"), ("a", "int")]


def test_recorded_answers_are_accepted_unchanged(template: Path, tmp_path: Path) -> None:
    answers = {
        "project_name": good.HOSTILE[:80],
        "project_description": "{{ project_name }} 🦊 \\ '\"",
        "fields": {
            "zebra": {"type": "str", "default": good.HOSTILE},
            "alpha": {"type": "json", "default": {"z": 1, "a": [None, "yes", "2024-01-01"]}},
            "yes": "bool",
            "mood": {"choices": ["no", "🦊"], "type": "enum"},
        },
    }
    first = answer(template, tmp_path / "first", answers)
    recorded = read(first)
    second = answer(template, tmp_path / "second", recorded)
    assert first.read_text("utf-8") == second.read_text("utf-8")
    assert recorded["project_name"] == answers["project_name"]
    assert recorded["fields"] == answers["fields"]
    assert list(recorded["fields"]) == ["zebra", "alpha", "yes", "mood"]
    assert list(recorded["fields"]["mood"]) == ["choices", "type"]


def test_hidden_questions_are_not_recorded(template: Path, tmp_path: Path) -> None:
    assert list(read(answer(template, tmp_path / "project", {}))) == list(questions())


@pytest.fixture
def type_in(template: Path, tmp_path: Path) -> Callable[..., Path]:
    """A function that types keys at the prompts, and returns the path of the recorded answers."""

    def type_in(keys: list[str], **given: Any) -> Path:  # noqa: ANN401
        with create_pipe_input() as keyboard:
            keyboard.send_text("".join(keys))
            with create_app_session(input=keyboard, output=DummyOutput()):
                return answer(template, tmp_path / "typed", given, defaults=False)

    return type_in


def keys_for(**instead: str) -> list[str]:
    """Return the keys that accept every default, except for the given questions."""
    return [
        instead.get(name, END if question.get("multiline") else ENTER)
        for name, question in questions().items()
    ]


def test_enter_accepts_the_defaults(
    template: Path, tmp_path: Path, type_in: Callable[..., Path]
) -> None:
    expected = answer(template, tmp_path / "expected", {})
    assert type_in(keys_for()).read_text("utf-8") == expected.read_text("utf-8")


def test_prompt_repeats_until_the_answer_is_valid(type_in: Callable[..., Path]) -> None:
    erase = "\x08" * 12
    typed = type_in(
        keys_for(
            project_name=f"{erase}{ENTER}Chores{ENTER}",
            resource_name=f"{erase}class{ENTER}{erase}stat{ENTER}{erase}chore{ENTER}",
            fields="\x08" * 400 + f"id: str{END}" + "\x08" * 9 + f"b: str\na: int{END}",
        )
    )
    recorded = read(typed)
    assert recorded["project_name"] == "Chores"
    assert recorded["project_slug"] == "chores"
    assert recorded["resource_plural"] == "chores"
    assert list(recorded["fields"].items()) == [("b", "str"), ("a", "int")]


@pytest.mark.parametrize("defaults", [True, False])
def test_update_keeps_the_recorded_answers_and_their_order(
    template: Path, tmp_path: Path, defaults: bool
) -> None:
    released = Path(shutil.copytree(template, tmp_path / "released"))
    publish(released, "1.0.0")
    project = tmp_path / "project"
    fields = {"zebra": "str", "alpha": {"type": "int", "default": 1}, "mid": "bool"}
    recorded = answer(released, project, {"fields": fields, "timestamps": False})
    before = read(recorded)
    assert list(before) == list(questions())
    commit(project)
    (released / "template" / "new.txt").write_text("new", "utf-8")
    publish(released, "1.1.0")
    with create_pipe_input() as keyboard:
        keyboard.send_text("".join(keys_for()))
        with create_app_session(input=keyboard, output=DummyOutput()):
            copier.run_update(project, defaults=defaults, overwrite=True, quiet=True, unsafe=False)
    assert (project / "new.txt").exists()
    assert list(read(recorded).items()) == list(before.items())
    assert list(read(recorded)["fields"]) == ["zebra", "alpha", "mid"]


def test_update_rejects_an_invalid_recorded_answer(template: Path, tmp_path: Path) -> None:
    """Without the check, Copier would use the default instead."""
    released = Path(shutil.copytree(template, tmp_path / "released"))
    publish(released, "1.0.0")
    project = tmp_path / "project"
    recorded = answer(released, project, {"resource_name": "chore"})
    recorded.write_text(recorded.read_text("utf-8").replace("name: chore", "name: class"), "utf-8")
    commit(project)
    wrong = recorded.read_text("utf-8")
    with pytest.raises(UserMessageError, match=r"resource_name.*reserved"):
        copier.run_update(project, defaults=True, overwrite=True, quiet=True, unsafe=False)
    assert recorded.read_text("utf-8") == wrong


def test_given_answers_are_not_asked(type_in: Callable[..., Path]) -> None:
    given = {
        "fields": {"b": "str", "a": "int"},
        "resource_name": "stat",
        "resource_plural": "rows_",
    }
    keys = [key for name, key in zip(questions(), keys_for(), strict=True) if name not in given]
    given["resource_plural"] = "statistics"
    recorded = read(type_in(keys, **given))
    assert recorded["resource_plural"] == "statistics"
    assert list(recorded["fields"]) == ["b", "a"]


def test_first_check_matches_the_questions() -> None:
    loaded = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    given = module("check/given")
    assert set(given.HIDDEN) == {
        name
        for name, question in loaded.items()
        if not name.startswith("_") and question.get("when") is False
    }
    assert list(given.QUESTIONS) == list(questions())
    for name, question in questions().items():
        kind = given.QUESTIONS[name]
        if question.get("multiselect"):
            assert kind == "operations"
            assert list(question["choices"].values()) == given.OPERATIONS
        elif "choices" in question:
            assert list(question["choices"].values()) == kind
            computed = {"user_id_type": "{{ id_type }}"}
            assert question["default"] == computed.get(name, kind[0])
        elif question["type"] == "bool":
            assert kind == "boolean"
        else:
            assert kind == ("yaml" if question.get("multiline") else "string")


def test_messages_name_the_next_commands(
    template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    released = Path(shutil.copytree(template, tmp_path / "released"))
    publish(released, "1.0.0")
    project = tmp_path / "project"
    answer(released, project, {}, quiet=False)
    printed = capsys.readouterr().err
    for command in (f"cd {project}", "make run", "make test"):
        assert command in printed
    commit(project)
    copier.run_update(
        project, defaults=True, overwrite=True, unsafe=False, vcs_ref=copier.VcsRef.CURRENT
    )
    printed = capsys.readouterr().err
    for word in ("renamed_from", "make check", 'make migration m="', "make migrate"):
        assert word in printed


@pytest.mark.parametrize("name", ["before_update", "after_update", "after_copy"])
def test_messages_fit_into_80_columns(name: str) -> None:
    loaded = environment().get_template("hooks/write/messages.jinja")
    printed = str(getattr(loaded.make_module({"_copier_conf": {"dst_path": "app"}}), name)())
    assert [line for line in printed.splitlines() if len(line) > 80] == []
    assert ("git init" in printed) is (name == "after_copy")


def test_prompt_shows_the_reason_first_in_80_columns(
    type_in: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copier leads with the question's name, and the terminal cuts the line."""
    shown: list[str] = []
    validate = Question.validate_answer

    def record(question: Question, value: object) -> None:
        try:
            validate(question, value)
        except ValueError as error:
            shown.append(str(error)[:80])
            raise

    monkeypatch.setattr(Question, "validate_answer", record)
    erase = "\x08" * 12
    typed = (f"{erase}{name}{ENTER}" for name in ("Chore", "class", "chores", "chore"))
    type_in(keys_for(resource_name="".join(typed)))
    reasons = [
        text.removeprefix("Validation error for question 'resource_name': ") for text in shown
    ]
    assert [reason[:22] for reason in dict.fromkeys(reasons)] == [
        "must be in snake_case:",
        "is a reserved name (se",
        "looks like a plural, w",
    ]


@pytest.mark.parametrize(
    ("question", "given"), [("fields", "{title: str"), ("more_resources", "{a}@b.de")]
)
def test_malformed_yaml_is_an_error_and_writes_nothing(
    template: Path, tmp_path: Path, question: str, given: str
) -> None:
    project = tmp_path / "project"
    with pytest.raises(ValueError, match=r"^while (parsing|scanning)"):
        answer(template, project, {question: given})
    assert not project.exists()


def test_every_question_has_a_help_and_a_default() -> None:
    for name, question in questions().items():
        assert question["help"].rstrip().endswith("?"), name
        assert "default" in question, name
        assert "when" not in question, name


def test_no_trust_is_needed() -> None:
    loaded = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    assert not {"_tasks", "_jinja_extensions", "_migrations"} & set(loaded)
