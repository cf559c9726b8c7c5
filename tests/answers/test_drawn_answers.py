"""Random answers: they are rejected with the name of the invalid answer, or the project works.

An ordinary run draws the same few sets each time. TEST_DRAWN=all, or a number of projects, draws
more sets, different in each run; TEST_SEED draws the sets of an earlier run. A failure is printed
as YAML, and becomes a case in good.py, bad.py or drawn.yml.
"""

import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from copier.errors import UserMessageError
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.answers import drawing
from tests.answers.drawing import DRAWN, SEED
from tests.support import checks
from tests.support.commands import command
from tests.support.environment import Environment
from tests.support.postgres import Postgres
from tests.support.questions import PREFIX, answer, questionnaire, rejection
from tests.support.rendering import ROOT, fast_copier, questions, render

RENDERED = {"": 12, "all": 120}.get(DRAWN) or int(DRAWN)
ANSWERED = 8 * RENDERED
# Every n-th project is type-checked and migrated; every n-th runs its own tests.
CHECKED_OF = 1 if DRAWN else 3
TESTED_OF = 5 if DRAWN else 12

SETTINGS = settings(
    max_examples=ANSWERED,
    derandomize=False,
    database=None,
    deadline=None,
    # Shrinking takes minutes for a whole set of answers.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
PROBLEMS = re.compile(r"\d+ wrong answers?: (.+)")
# Messages that do not begin with the name of a question.
TOGETHER = ("unknown question", "the required references of ")
SECRET = "0123456789abcdef" * 4

Answers = dict[str, Any]


@contextmanager
def shown(answers: Answers) -> Iterator[None]:
    """Add the answers to an exception as a note."""
    try:
        yield
    except BaseException as error:
        text = yaml.safe_dump(answers, allow_unicode=True, sort_keys=False, width=1000)
        error.add_note(f"# TEST_SEED={SEED}\n{text}")
        raise


@pytest.fixture(scope="module")
def questions_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A template that checks and derives the answers, and renders no project."""
    with fast_copier():
        yield questionnaire(tmp_path_factory.mktemp("drawn") / "template", derived=True)


@contextmanager
def new_path() -> Iterator[Path]:
    """Yield the path of a folder that does not exist yet."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "project"


def test_valid_answers_are_accepted(questions_only: Path, figure: Callable[[str], None]) -> None:
    accepted = []

    @seed(SEED)
    @SETTINGS
    @given(drawing.valid())
    def check(answers: Answers) -> None:
        with new_path() as project, shown(answers):
            recorded = yaml.safe_load(answer(questions_only, project, answers).read_text("utf-8"))
            for name, value in answers.items():
                # Copier records operations in the order of its choices.
                order = sorted if name == "operations" else lambda same: same
                assert order(recorded[name]) == order(value)
            accepted.append(answers)

    check()
    figure(f"drawn answers: {len(accepted)} valid sets, all accepted (TEST_SEED={SEED})")
    assert len(accepted) >= ANSWERED


def test_broken_answers_are_rejected_by_name(
    questions_only: Path, figure: Callable[[str], None]
) -> None:
    rejected = []

    @seed(SEED)
    @SETTINGS
    @given(drawing.broken())
    def check(broken: drawing.Broken) -> None:
        with new_path() as project, shown(broken.answers):
            message = rejection(questions_only, project, broken.answers).replace("\\'", "'")
            missing = [word for word in broken.words if word not in message]
            assert missing == [], message
            rejected.append(message)

    check()
    figure(f"drawn answers: {len(rejected)} broken sets, all rejected by name")
    assert len(rejected) >= ANSWERED


def named_questions(message: str) -> list[str]:
    """Return the name with which a message begins, if it is a question."""
    found = PROBLEMS.fullmatch(message)
    assert found, message
    name = re.split(r"[.:]", found[1])[0]
    return [name] if name in questions() or found[1].startswith(TOGETHER) else []


def has_malformed_yaml(answers: Answers) -> bool:
    """Is a string that Copier parses as YAML malformed? This is Copier's own error."""
    for question in ("fields", "more_resources", "operations"):
        if isinstance(given := answers.get(question), str):
            try:
                yaml.safe_load(given)
            except yaml.YAMLError:
                return True
    return False


def assert_no_template_syntax(project: Path, answers: Answers) -> None:
    """Check that no template syntax is left, except for that in the answers."""
    given = yaml.safe_dump(answers, allow_unicode=True, width=10**6)
    own = {given[at : at + 5] for at in range(len(given)) if given[at] in "{%#"}
    ends = tuple(piece[:length] for piece in own for length in (2, 3, 4))
    for name, text in checks.texts(project):
        if name == ".copier-answers.yml":
            continue
        allowed = checks.ALLOWED.get(name.split("/")[0])
        for line in (allowed.sub("", text) if allowed else text).splitlines():
            for left in checks.SYNTAX.finditer(line):
                piece = line[left.start() : left.start() + 5]
                assert piece in own or piece.startswith(ends), f"{name}: {line}"


def assert_is_clean(environment: Environment, project: Path, answers: Answers) -> None:
    """Check that a project is formatted and has no lint errors or syntax errors."""
    assert_no_template_syntax(project, answers)
    environment.check(project, "ruff", "format", "--check", "--diff", "--no-cache")
    environment.check(project, "ruff", "check", "--no-cache")


def assert_works(environment: Environment, project: Path, answers: Answers, url: str) -> None:
    """Check the types, the app and the migrations of a project."""
    checks.assert_types(environment, project)
    local = answers.get("auth", "local") == "local"
    secret = {"JWT_SECRET_KEY" if local else "BETTER_AUTH_SECRET": SECRET}
    script = "from app.main import app; assert app.openapi()['paths']"
    environment.check(project, "python", "-c", script, DATABASE_URL=url, **secret)
    environment.check(project, "python", "-m", "scripts.migrations", "check")
    for target in (("upgrade", "head"), ("downgrade", "base"), ("upgrade", "head")):
        environment.check(project, "alembic", *target, DATABASE_URL=url, **secret)


def test_a_seed_draws_the_same_set_whichever_modules_are_loaded() -> None:
    script = """
from tests.answers import drawing
first = drawing.sample(drawing.altered(), 2)
import bench.speed
assert drawing.sample(drawing.altered(), 2) == first
"""
    command(ROOT, sys.executable, "-c", script)


@pytest.mark.long
@pytest.mark.parametrize("number", range(RENDERED), ids=lambda number: f"drawn-{number:03}")
def test_a_drawn_project_works(  # noqa: PLR0917
    number: int,
    template: Path,
    environment: Environment,
    postgres: Postgres,
    tmp_path: Path,
    tally: Callable[..., None],
) -> None:
    project = tmp_path / "project"
    answers = drawing.sample(drawing.valid(), SEED + number)
    with shown(answers):
        render(template, project, answers)
        assert_is_clean(environment, project, answers)
        if number % CHECKED_OF == 0:
            assert_works(environment, project, answers, f"sqlite:///{tmp_path / 'drawn.db'}")
        if number % TESTED_OF == 0:
            checks.assert_own_tests(environment, project)
        if DRAWN and number % TESTED_OF == 1 and postgres.available:
            with postgres.database() as url:
                checks.assert_own_tests_on(url, environment, project)
    tested = number % TESTED_OF in {0, 1 if DRAWN and postgres.available else 0}
    tally("drawn projects", rendered=1, checked=number % CHECKED_OF == 0, tested=tested)


@pytest.mark.long
@pytest.mark.parametrize("number", range(RENDERED // 4), ids=lambda number: f"drawn-{number:03}")
def test_altered_answers_are_rejected_or_work(
    number: int,
    template: Path,
    environment: Environment,
    tmp_path: Path,
    tally: Callable[..., None],
) -> None:
    for turn in range(12):
        project = tmp_path / f"project{turn}"
        answers = drawing.sample(drawing.altered(), SEED + 100 * number + turn)
        with shown(answers):
            try:
                render(template, project, answers)
            except (ValueError, yaml.YAMLError):
                assert has_malformed_yaml(answers)
                assert not project.exists()
                tally("altered answers", rejected=1)
            except UserMessageError as error:
                message = str(error.message)
                assert message.isprintable()
                assert named_questions(message.removeprefix(PREFIX)[1:-1]), message
                assert not project.exists()
                tally("altered answers", rejected=1)
            else:
                assert_is_clean(environment, project, answers)
                tally("altered answers", rendered=1)
