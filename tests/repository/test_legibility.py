"""Limits that keep the template readable: little Jinja, in few files, and short files."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Render
from tests.support.rendering import ROOT, SOURCE, rendered_files, sources

# A folder that Copier merges into the project if its condition is true.
OVERLAY = re.compile(r"^\{\{ '\.' if .*? \}\}/")
JINJA = re.compile(r"\{\{|\{%|\{#")

# The only files that may have control lines: those that list resources, fields or requirements.
MAY_HAVE_CONTROL_LINES = {
    "Makefile",
    "app/__init__.py",
    "app/models/<resource>.py",
    "app/routers/__init__.py",
    "app/routers/<resource>.py",
    "app/schemas/<resource>.py",
    "app/services/<resource>.py",
    "migrations/versions/0001_initial.py",
    "pyproject.toml",
    "README.md",
    "tests/support/samples/<resource>.py",
    "{{_copier_conf.answers_file}}",
}
MAX_CONTROL_LINES = 150
MAX_CONTROL_LINES_OF_A_FILE = 30
# More than a few files that depend on the same answer belong in a folder at the top of template/.
MAX_CONDITIONAL_NAMES = {"app": 20, "tests": 15}

MAX_MODULES_IN_THE_ROOT = 7
MAX_LINES_OF_THE_SCOPE = 130
MAX_LINES_OF_A_FILE = 400
# Tables of data may be longer.
LONGER = {"tests/migrations/changes.py"}

# The rendered files that may mention the template.
ORIGIN = re.compile(r"copier|jinja|\b(the|this|its|a) template\b", re.IGNORECASE)
MENTION_THE_ORIGIN = {
    *(".copier-answers.yml", "AGENTS.md", "README.md", "docs/updating.md"),
    "scripts/answers.py",  # It checks the first.
}


PROSE = (
    *("template", "hooks", "tests", "tools", "bench", "docs", "presets", "copier.yml"),
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md"),
)
TEXT = {".py", ".jinja", ".md", ".yml", ".yaml", ".toml"}
UNUSUAL_WORDS = re.compile(
    r"\banew\b|\bknows? (no|nothing)\b|\bturn(s|ed)? round\b|\b(be|is|are|was|were) told\b"
    r"|\brefused with\b|\bwho is calling\b|\bwhoever\b|\bthat are theirs\b",
    re.IGNORECASE,
)


def source_name(path: Path) -> str:
    """Return the path of the rendered file, with `<resource>` for the name of a resource."""
    name = str(path.relative_to(SOURCE)).removesuffix(".jinja")
    name = re.sub(r"\{% yield resource .*?\{% endyield %\}", "<resource>", name)
    return OVERLAY.sub("", re.sub(r"\{%.*?%\}", "", name))


def test_most_rendered_files_come_from_sources_without_jinja(
    render: Render, figure: Callable[[str], None]
) -> None:
    plain = {path.read_bytes() for path in sources("template") if path.suffix != ".jinja"}
    files = [path for path in rendered_files(render()) if path.stat().st_size]
    unchanged = [path for path in files if path.read_bytes() in plain]
    share = len(unchanged) / len(files)
    figure(f"rendered files without Jinja in their sources: {len(unchanged)} of {len(files)}")
    assert share > 0.7


def control_lines() -> Counter[str]:
    """Count the control lines in each file of template/."""
    found: Counter[str] = Counter()
    for path in sources("template"):
        if path.suffix == ".jinja":
            lines = path.read_text(encoding="utf-8").splitlines()
            found[source_name(path)] += sum("{%" in line for line in lines)
    return found


def test_few_files_have_control_lines(figure: Callable[[str], None]) -> None:
    found = control_lines()
    figure(f"control lines in template/: {found.total()}, in {len(+found)} files")
    advice = "put the condition into the name of a file, or compute the text in hooks/"
    assert (+found).keys() - MAY_HAVE_CONTROL_LINES == set(), advice
    assert MAY_HAVE_CONTROL_LINES - (+found).keys() == set(), "listed, but without control lines"
    assert found.total() <= MAX_CONTROL_LINES, advice
    assert [name for name in found if found[name] > MAX_CONTROL_LINES_OF_A_FILE] == [], advice


@pytest.mark.parametrize("folder", MAX_CONDITIONAL_NAMES)
def test_few_file_names_have_conditions(folder: str) -> None:
    conditional = [
        path
        for path in sources("template")
        if re.search(rf"(^|/){folder}/.*\{{% if", str(path.relative_to(SOURCE)))
    ]
    assert len(conditional) <= MAX_CONDITIONAL_NAMES[folder]


def test_root_of_the_app_has_few_modules(render: Render) -> None:
    modules = [path.name for path in (render() / "app").glob("*.py")]
    assert len(modules) <= MAX_MODULES_IN_THE_ROOT, modules


def test_scope_module_is_short_and_has_no_jinja() -> None:
    scope = SOURCE / "app" / "db" / "scope.py"
    text = scope.read_text(encoding="utf-8")
    assert not JINJA.search(text)
    assert len(text.splitlines()) <= MAX_LINES_OF_THE_SCOPE


def test_no_file_is_too_long() -> None:
    long = {
        str(path.relative_to(ROOT))
        for path in sources("hooks", "tests")
        if path.suffix in {".py", ".jinja"}
        and len(path.read_text(encoding="utf-8").splitlines()) > MAX_LINES_OF_A_FILE
    }
    assert long == LONGER


def test_prose_has_no_unusual_words() -> None:
    """Earlier versions used these words instead of standard terms."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sources(*PROSE)
        if path.suffix in TEXT and path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if UNUSUAL_WORDS.search(line)
    ]
    assert found == []


def test_every_jinja_file_contains_jinja() -> None:
    wrong = [
        str(path.relative_to(SOURCE))
        for path in sources("template")
        if path.suffix == ".jinja" and not JINJA.search(path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


def test_no_other_rendered_file_mentions_the_template(render: Render) -> None:
    project = render()
    mentions = []
    for path in rendered_files(project):
        name = str(path.relative_to(project))
        if name in MENTION_THE_ORIGIN:
            continue
        mentions += [
            f"{name}:{number}: {line}"
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if ORIGIN.search(line)
        ]
    assert mentions == []
