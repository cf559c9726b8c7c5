"""Answers that nobody wrote: refused by the name of what is wrong, or a project that works.

An ordinary run takes the same few sets each time. TEST_DRAWN=all, or the number of projects to
render, takes others and more of them; what fails is printed as YAML, which a data file can hold,
and TEST_SEED takes the same ones again. Each one found belongs in good.py, bad.py
or drawn.yml.
"""

import re
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
from tests.support.environment import Environment
from tests.support.postgres import Postgres
from tests.support.questions import PREFIX, answer, complaint, questionnaire
from tests.support.rendering import cheap, questions, render

RENDERED = {"": 12, "all": 120}.get(DRAWN) or int(DRAWN)
ANSWERED = 8 * RENDERED
# Of the projects: how many are types checked and migrated, and how many run their own tests.
CHECKED_OF = 1 if DRAWN else 3
TESTED_OF = 5 if DRAWN else 12

SETTINGS = settings(
    max_examples=ANSWERED,
    derandomize=False,
    database=None,
    deadline=None,
    # To shrink a whole set takes minutes, and its YAML can be cut by hand.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
PROBLEMS = re.compile(r"\d+ wrong answers?: (.+)")
# Complaints that begin with no question.
TOGETHER = ("unknown question", "the required references of ")
SECRET = "0123456789abcdef" * 4

Answers = dict[str, Any]


@contextmanager
def shown(answers: Answers) -> Iterator[None]:
    """Show the answers with whatever goes wrong."""
    try:
        yield
    except BaseException as error:
        text = yaml.safe_dump(answers, allow_unicode=True, sort_keys=False, width=1000)
        error.add_note(f"# TEST_SEED={SEED}\n{text}")
        raise


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The questions alone, with all that is computed of the answers."""
    with cheap():
        yield questionnaire(tmp_path_factory.mktemp("drawn") / "template", derived=True)


@contextmanager
def nowhere() -> Iterator[Path]:
    """A folder that is not there yet."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "project"


def test_valid_answers_are_taken(asking: Path, figure: Callable[[str], None]) -> None:
    taken = []

    @seed(SEED)
    @SETTINGS
    @given(drawing.valid())
    def check(answers: Answers) -> None:
        with nowhere() as project, shown(answers):
            recorded = yaml.safe_load(answer(asking, project, answers).read_text("utf-8"))
            for name, value in answers.items():
                # Copier records operations in the order of its choices.
                order = sorted if name == "operations" else lambda same: same
                assert order(recorded[name]) == order(value)
            taken.append(answers)

    check()
    figure(f"drawn answers: {len(taken)} valid sets, all taken (TEST_SEED={SEED})")
    assert len(taken) >= ANSWERED


def test_broken_answers_are_refused_by_name(asking: Path, figure: Callable[[str], None]) -> None:
    refused = []

    @seed(SEED)
    @SETTINGS
    @given(drawing.broken())
    def check(broken: drawing.Broken) -> None:
        with nowhere() as project, shown(broken.answers):
            message = complaint(asking, project, broken.answers).replace("\\'", "'")
            missing = [word for word in broken.words if word not in message]
            assert missing == [], message
            refused.append(message)

    check()
    figure(f"drawn answers: {len(refused)} broken sets, all refused by name")
    assert len(refused) >= ANSWERED


def culprits(message: str) -> list[str]:
    """The questions that a message blames; nothing where it blames none."""
    found = PROBLEMS.fullmatch(message)
    assert found, message
    blamed = re.split(r"[.:]", found[1])[0]
    return [blamed] if blamed in questions() or found[1].startswith(TOGETHER) else []


def assert_nothing_is_left(project: Path, answers: Answers) -> None:
    """No syntax of the template but what the answers themselves have."""
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
    """Formatted, and without a finding of the linter; what does not compile is one."""
    assert_nothing_is_left(project, answers)
    environment.check(project, "ruff", "format", "--check", "--diff", "--no-cache")
    environment.check(project, "ruff", "check", "--no-cache")


def assert_works(environment: Environment, project: Path, answers: Answers, url: str) -> None:
    """Typed, importable, and migrated up and down."""
    checks.assert_types(environment, project)
    local = answers.get("auth", "local") == "local"
    secret = {"JWT_SECRET_KEY" if local else "BETTER_AUTH_SECRET": SECRET}
    opened = "from app.main import app; assert app.openapi()['paths']"
    environment.check(project, "python", "-c", opened, DATABASE_URL=url, **secret)
    environment.check(project, "python", "-m", "scripts.migrations", "check")
    for target in (("upgrade", "head"), ("downgrade", "base"), ("upgrade", "head")):
        environment.check(project, "alembic", *target, DATABASE_URL=url, **secret)


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
        if DRAWN and number % TESTED_OF == 1 and not postgres.answer.returncode:
            with postgres.database() as url:
                checks.assert_own_tests_on(url, environment, project)
    tested = number % TESTED_OF in {0, 1 if DRAWN and not postgres.answer.returncode else 0}
    tally("drawn projects", rendered=1, checked=number % CHECKED_OF == 0, tested=tested)


@pytest.mark.long
@pytest.mark.parametrize("number", range(RENDERED // 4), ids=lambda number: f"drawn-{number:03}")
def test_careless_answers_are_refused_or_work(
    number: int,
    template: Path,
    environment: Environment,
    tmp_path: Path,
    tally: Callable[..., None],
) -> None:
    for turn in range(12):
        project = tmp_path / f"project{turn}"
        answers = drawing.sample(drawing.careless(), SEED + 100 * number + turn)
        with shown(answers):
            try:
                render(template, project, answers)
            except UserMessageError as error:
                message = str(error.message)
                assert message.isprintable()
                assert culprits(message.removeprefix(PREFIX)[1:-1]), message
                assert not project.exists()
                tally("careless answers", refused=1)
            else:
                assert_is_clean(environment, project, answers)
                tally("careless answers", rendered=1)
