"""The budget that keeps the template readable: little Jinja, in few files, and none left over."""

import re
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Render
from tests.support.rendering import SOURCE, rendered_files, sources

# A folder that is laid over the project where a condition holds.
OVERLAY = re.compile(r"^\{\{ '\.' if .*? \}\}/")
JINJA = re.compile(r"\{\{|\{%|\{#")

# The only files whose content may hold control lines, and how many: the ones where loops over
# fields live, and the ones that answers assemble. Whatever can be switched as a whole file is.
CONTROL_LINES = {
    "app/__init__.py": 4,
    "app/models/__init__.py": 6,
    "app/models/<resource>.py": 18,
    "app/routers/__init__.py": 16,
    "app/routers/<resource>.py": 30,
    "app/schemas/<resource>.py": 46,
    "app/services/<resource>.py": 20,
    "migrations/versions/0001_initial.py": 54,
    "pyproject.toml": 14,
    "README.md": 20,
    "tests/support/samples/__init__.py": 2,
    "tests/support/samples/<resource>.py": 2,
    "{{_copier_conf.answers_file}}": 1,
}

# Where a rendered project may speak of where it comes from.
ORIGIN = re.compile(r"copier|jinja|\b(the|this|its|a) template\b", re.IGNORECASE)
SPEAKS_OF_ITS_ORIGIN = {".copier-answers.yml", "README.md", "docs/updating.md"}


def source_name(path: Path) -> str:
    """The name that a file of template/ is rendered to, a resource's name left open."""
    name = str(path.relative_to(SOURCE)).removesuffix(".jinja")
    name = re.sub(r"\{% yield resource .*?\{% endyield %\}", "<resource>", name)
    return OVERLAY.sub("", re.sub(r"\{%.*?%\}", "", name))


def test_most_rendered_files_come_from_sources_without_jinja(
    render: Render, figure: Callable[[str], None]
) -> None:
    plain = {path.read_bytes() for path in sources("template") if path.suffix != ".jinja"}
    files = [path for path in rendered_files(render()) if path.stat().st_size]
    as_they_are = [path for path in files if path.read_bytes() in plain]
    share = len(as_they_are) / len(files)
    figure(f"rendered files without Jinja in their sources: {len(as_they_are)} of {len(files)}")
    assert share > 0.7


def test_only_listed_files_have_control_lines(figure: Callable[[str], None]) -> None:
    over, lines = [], 0
    for path in sources("template"):
        if path.suffix != ".jinja":
            continue
        found = sum("{%" in line for line in path.read_text(encoding="utf-8").splitlines())
        lines += found
        if found > CONTROL_LINES.get(source_name(path), 0):
            over.append(f"{source_name(path)}: {found} control lines")
    figure(f"control lines in template/: {lines}, in {len(CONTROL_LINES)} files that may have some")
    assert over == [], "switch a whole file by its name, or compute the text in hooks/"
    names = {source_name(path) for path in sources("template") if path.suffix == ".jinja"}
    assert CONTROL_LINES.keys() <= names, "listed, but not there"


def test_the_suffix_tells_where_jinja_is() -> None:
    wrong = [
        str(path.relative_to(SOURCE))
        for path in sources("template")
        if path.suffix == ".jinja" and not JINJA.search(path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


def test_nothing_rendered_speaks_of_the_template(render: Render) -> None:
    project = render()
    speaking = []
    for path in rendered_files(project):
        name = str(path.relative_to(project))
        if name in SPEAKS_OF_ITS_ORIGIN:
            continue
        speaking += [
            f"{name}:{number}: {line}"
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if ORIGIN.search(line)
        ]
    assert speaking == []
