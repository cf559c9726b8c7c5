"""Follow CONTRIBUTING.md in a copy of the repository: the tests that it names require each step."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.support.commands import COPIER, command, shell_environment
from tests.support.environment import CACHE
from tests.support.rendering import ROOT, recorded_answers

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
OWN = str(Path(__file__).relative_to(ROOT / "tests"))
MAX_LINES = 120
ROUTER = "template/app/routers/{% yield resource from resources %}{{ resource.name }}{% endyield %}"

# A new question, on which a file depends.
QUESTION = """
greeting:
  type: str
  help: Which word greets the caller?
  choices:
    Hello: hello
    Good day: good_day
  default: hello
"""
CONDITIONAL_FILE = "template/docs/{% if greeting == 'good_day' %}manners.md{% endif %}"
# A new operation, as a route that does nothing.
ROUTE = """
{%- if 'archive' in operations %}


@router.post("/archive")
async def archive_{{ resource.plural }}() -> None:
    \"\"\"Archive completed rows.\"\"\"
{% endif %}
"""

KNOWN = "answers/test_questions.py::test_first_check_matches_the_questions"
REJECTED = "answers/test_questions.py::test_every_question_has_a_rejected_case"
ROW = "repository/test_readme.py::test_every_question_has_a_row"
VALUES = "repository/test_readme.py::test_row_has_the_values_and_default_of_its_question"
TYPES = "repository/test_readme.py::test_field_types_and_options_match_the_checks"
PAIRS = "rendered/test_matrix.py::test_every_pair_of_values_is_in_a_cell"
SETS = "rendered/test_matrix.py::test_each_set_of_fields_has_every_type"
OPTIONS = "rendered/test_matrix.py::test_every_option_is_set_in_a_cell"
ROUTES = "rendered/files/test_readme.py::test_readme_lists_the_routes_of_the_app"


class Checkout:
    """A copy of the working tree."""

    def __init__(self, home: Path) -> None:
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no git repository: {done.stderr.strip()}")
        self.home = home
        self.project = home.parent / "project"
        for name in done.stdout.split("\0"):
            if (ROOT / name).is_file():
                (home / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, home / name)
        # The copy uses the same environment for rendered projects.
        CACHE.mkdir(exist_ok=True)
        (home / CACHE.name).symlink_to(CACHE)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a string, which must occur exactly once."""
        path = self.home / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def before(self, name: str, place: str, new: str) -> None:
        """Insert a string before another one."""
        self.edit(name, place, new + place)

    def after(self, name: str, place: str, new: str) -> None:
        """Insert a string after another one."""
        self.edit(name, place, place + new)

    def copy(self, answer: str, status: int = 0) -> str:
        """Run `copier copy` with one answer, and return its error output."""
        answers = ("--defaults", "--quiet", "--overwrite", "--data", answer)
        copy = (*COPIER, "copy", *answers, str(self.home), str(self.project))
        return command(self.home.parent, *copy, status=status).stderr

    def recorded(self) -> dict[str, Any]:
        """Return the answers that the project records."""
        return recorded_answers(self.project)

    def failures(self, *tests: str) -> dict[str, str]:
        """Run tests in the copy, and return the failed ones with their messages."""
        report = self.home.with_suffix(".xml")
        paths = [f"tests/{test}" for test in tests]
        command_line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [*command_line, f"--junitxml={report}", *paths],
            cwd=self.home,
            env=shell_environment() | {"TEST_STRENGTH": "2"},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode in {0, 1}, done.stdout + done.stderr
        messages: dict[str, str] = {}
        ran = set()
        for case in ElementTree.parse(report).iter("testcase"):
            file, name = case.get("classname", ""), case.get("name", "")
            path = file.removeprefix("tests.").replace(".", "/")
            name = f"{path}.py::{name.partition('[')[0]}"
            ran.add(name)
            for outcome in [*case.iter("failure"), *case.iter("error")]:
                message = f"{outcome.get('message')}\n{outcome.text}\n"
                messages[name] = messages.get(name, "") + message
            assert case.find("skipped") is None, f"{name} was skipped"
        assert ran == {test.partition("[")[0] for test in tests}
        return messages

    def check(self, failing: dict[str, str], passing: Iterable[str] = ()) -> None:
        """Check that tests fail, each with a word in its message, and that others pass."""
        found = self.failures(*failing, *passing)
        assert found.keys() == failing.keys(), "\n".join(found.values())
        for test, word in failing.items():
            assert word in found[test], (
                f"the message of {test} does not contain {word}:\n{found[test]}"
            )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A copy of the repository."""
    return Checkout(tmp_path / "checkout")


def named_in(title: str) -> set[str]:
    """Return the test files that a section of the page names."""
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return set(re.findall(r"`tests/([\w/]+/test_\w+\.py)`", section)) - {OWN}


def files(*tests: str) -> set[str]:
    """Return the files of tests."""
    return {test.split("::")[0] for test in tests}


def test_page_is_short() -> None:
    assert len(PAGE.splitlines()) <= MAX_LINES


def test_named_files_exist() -> None:
    named = re.findall(r"`([a-z][\w.]*/[\w./-]*|[\w]+\.(?:yml|md))`", PAGE)
    assert named
    folders = [ROOT, ROOT / ".github" / "workflows"]
    assert [name for name in named if not any((home / name).exists() for home in folders)] == []


def test_every_variable_of_the_tests_is_documented() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")]
    read = set(re.findall(r"os\.environ\b[^\n]*?\"(TEST_\w+)\"", "\n".join(sources)))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert read
    assert read <= set(re.findall(r"`(TEST_[A-Z_]+)(?:=\w+)?`", PAGE + readme))


@pytest.mark.long
def test_add_a_question(checkout: Checkout) -> None:
    assert named_in("A new question") == files(KNOWN, ROW, PAIRS)
    derived = f"# {'-' * 75}\n# Derived (hidden)\n"
    checkout.before("copier.yml", derived, f"{QUESTION.lstrip()}\n")
    unknown = checkout.copy("greeting=good_day", status=1)
    assert 'unknown question "greeting"' in unknown
    checkout.check(dict.fromkeys((KNOWN, ROW), "greeting"), passing=[REJECTED, PAIRS])

    known = "'mail': 'boolean',"
    checkout.after("hooks/check/given.jinja", known, "\n  'greeting': ['hello', 'good_day'],")
    row = "| `greeting` | `hello`, `good_night` | the message of `GET /` |\n"
    checkout.before("README.md", "\nThe default `fields`:\n", row)
    checkout.check({VALUES: "good_night"}, passing=[KNOWN, ROW])

    checkout.edit("README.md", "`good_night`", "`good_day`")
    (checkout.home / CONDITIONAL_FILE).write_text("Greet the caller.\n", encoding="utf-8")
    checkout.check({}, passing=[KNOWN, ROW, VALUES, REJECTED, PAIRS])
    cells = [sys.executable, "-c", "from tests.support.cells import CELLS; print(CELLS)"]
    matrix = command(checkout.home, *cells).stdout
    assert "'greeting': 'hello'" in matrix
    assert "'greeting': 'good_day'" in matrix

    checkout.copy("greeting=good_day")
    assert checkout.recorded()["greeting"] == "good_day"
    assert (checkout.project / "docs" / "manners.md").exists()
    wrong = checkout.copy("greeting=bye", status=1)
    assert 'greeting: "bye" must be one of hello, good_day' in wrong


@pytest.mark.long
def test_retire_a_question(checkout: Checkout) -> None:
    assert "unknown question" in checkout.copy("greeting=good_day", status=1)
    checkout.edit("hooks/check/given.jinja", "{% set RETIRED = [", "{% set RETIRED = ['greeting', ")
    checkout.copy("greeting=good_day")
    assert "greeting" not in checkout.recorded()


@pytest.mark.long
def test_add_a_field_type(checkout: Checkout) -> None:
    assert named_in("A new field type") == files(TYPES, SETS)
    options = "  'colour': {'palette': ['name', 1, 40]},\n"
    checkout.after("hooks/check/options.jinja", "{% set OPTIONS = {\n", options)
    checkout.check(dict.fromkeys((TYPES, SETS, OPTIONS), "colour"))

    checkout.before(
        "README.md", "| `uuid` | a string | |\n", "| `colour` | a string | `palette` |\n"
    )
    for fields in ("PLAIN", "OPTIONS"):
        colour = '    "shade": {"type": "colour", "palette": "web"},\n'
        checkout.after("tests/support/cells.py", f"\n{fields}: Answers = {{\n", colour)
    checkout.check({}, passing=[TYPES, SETS, OPTIONS])
    assert "colour" in checkout.copy("fields={shade: colour}", status=1)


@pytest.mark.long
def test_add_an_operation(checkout: Checkout) -> None:
    assert named_in("A new operation") == files(KNOWN, VALUES, ROUTES)
    search = "    search (in every text field): search\n"
    checkout.before("copier.yml", search, "    archive (what is done): archive\n")
    checkout.check(dict.fromkeys((KNOWN, VALUES), "archive"))

    operations = "{% set OPERATIONS = ['complete', 'stats', 'bulk', "
    checkout.after("hooks/check/given.jinja", operations, "'archive', ")
    checkout.edit(
        "README.md", "`stats`, `bulk`, `search` |", "`stats`, `bulk`, `archive`, `search` |"
    )
    checkout.check({}, passing=[KNOWN, VALUES])
    router = checkout.home / f"{ROUTER}.py.jinja"
    router.write_text(router.read_text(encoding="utf-8") + ROUTE, encoding="utf-8")
    checkout.copy("operations=[archive]")
    checkout.check({ROUTES: "/api/tasks/archive"})
