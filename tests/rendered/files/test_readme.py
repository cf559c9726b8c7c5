"""The README and docs of a rendered project say what is true of it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Render
from tests.support.environment import Environment
from tests.support.presets import PRESETS, RICH

# The texts of a page's first heading and first paragraph, as CommonMark reads them.
READ_MARKDOWN = """
import json, sys
from markdown_it import MarkdownIt

def text(token):
    return "".join(
        child.content if child.type in {"text", "text_special"} else f"<{child.type}>"
        for child in token.children
    )

tokens = MarkdownIt("commonmark").parse(open(sys.argv[1], encoding="utf-8").read())
print(json.dumps([[token.type, text(following)] for token, following in zip(tokens, tokens[1:])
                  if following.type == "inline"][:2]))
"""


ROUTES = """
import json
from app.main import app

print(json.dumps([f"{method.upper()} {path}"
                  for path, operations in app.openapi()["paths"].items() for method in operations]))
"""


VARIABLES = """
import json
from app.settings import Settings

print(json.dumps([name.upper() for name in Settings.model_fields]))
"""


# The tables of the models, their columns, and which tables these refer to.
TABLES = """
import json, app.models
from sqlmodel import SQLModel

print(json.dumps({
    table.name: {
        "columns": [column.name for column in table.columns],
        "keys": [key.column.table.name for column in table.columns for key in column.foreign_keys],
    }
    for table in SQLModel.metadata.tables.values()
}))
"""


def section(project: Path, title: str) -> str:
    """One section of a project's README."""
    readme = (project / "README.md").read_text(encoding="utf-8")
    return readme.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_readme_shows_texts_as_they_were_written(
    project: Path, environment: Environment, answers: dict[str, Any]
) -> None:
    readme = project / "README.md"
    first = json.loads(environment.check(project, "python", "-c", READ_MARKDOWN, str(readme)))

    assert first == [
        ["heading_open", answers.get("project_name", "Todo Backend").strip()],
        [
            "paragraph_open",
            answers.get("project_description", "A REST API for the tasks of many users."),
        ],
    ]


def test_readme_lists_the_routes_of_the_app(project: Path, environment: Environment) -> None:
    listed = re.findall(r"^\| `([A-Z]+ \S+)` \|", section(project, "API"), re.MULTILINE)
    variables = {"JWT_SECRET_KEY": "x" * 40}
    served = json.loads(environment.check(project, "python", "-c", ROUTES, **variables))

    assert len(listed) == len(set(listed))
    assert set(listed) == set(served)


def test_every_variable_is_documented_where_it_can_be_set(
    project: Path, environment: Environment
) -> None:
    in_readme = re.findall(r"^\| `([A-Z_]+)` \|", section(project, "Settings"), re.MULTILINE)
    example = (project / ".env.example").read_text(encoding="utf-8")
    in_example = re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE)
    in_app = json.loads(environment.check(project, "python", "-c", VARIABLES))

    assert set(in_readme) == {*in_app, "TEST_DATABASE_URL"}
    assert set(in_example) == {*in_app, "TEST_DATABASE_URL", "POSTGRES_PASSWORD"}
    assert len(in_readme) == len(set(in_readme))


def test_documented_defaults_are_the_apps(project: Path, environment: Environment) -> None:
    example = (project / ".env.example").read_text(encoding="utf-8")
    lines = [
        line.removeprefix("# ")
        for line in example.splitlines()
        if re.match(r"# [A-Z_]+=", line) and not line.startswith("# TEST_")
    ]
    (project / "documented.env").write_text("\n".join(lines) + "\n", encoding="utf-8")
    script = (
        "from app.settings import Settings\n"
        "fixed = {'jwt_secret_key': 'x' * 40}\n"
        "assert Settings(_env_file='documented.env', **fixed) == Settings(_env_file=None, **fixed)"
    )

    assert len(lines) > 5
    environment.check(project, "python", "-c", script)


@pytest.mark.parametrize("auth", ["local", "external"])
def test_reasons_of_refusals_are_documented_and_tested(render: Render, auth: str) -> None:
    project = render(auth=auth)
    page = (project / "docs/authentication.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?`) \|", page.split("## Why a token is refused")[1], re.MULTILINE)
    documented = re.findall(r"`(\w+)`", " ".join(rows))
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted([*project.glob("app/auth/*.py"), *project.glob("app/services/auth.py")])
    )
    given = re.findall(
        r'(?:invalid_token|InvalidTokenError|_log_refusal)\(\s*"(\w+)"|'
        r'Error: \("(\w+)", |reason = "(\w+)"|_read_id\([^,]*, "(\w+)"|type\(error\), \("(\w+)"',
        code,
    )
    assert {name for names in given for name in names if name} == set(documented)
    assert len(documented) == len(set(documented))
    tested = (project / "tests/auth/test_refusals.py").read_text(encoding="utf-8")
    assert [reason for reason in documented if f'"{reason}"' not in tested] == []


@pytest.mark.parametrize("name", ["defaults", "fastapi-sqlmodel-generator"])
def test_pages_name_files_and_tests_that_exist(name: str, render: Render) -> None:
    project = render(**PRESETS.get(name, {}))
    tests = {path.name: path.read_text(encoding="utf-8") for path in project.rglob("test_*.py")}
    pages = {page.name: page.read_text(encoding="utf-8") for page in project.rglob("*.md")}
    paths = {
        path
        for text in pages.values()
        for path in re.findall(r"`((?:app|docs|migrations|scripts|tests)/[\w./]+)`", text)
    }
    assert {path for path in paths if not (project / path).exists()} == set()
    functions = set(re.findall(r"def (test_\w+)\(", "\n".join(tests.values())))
    named = set(re.findall(r"`(test_\w+(?:\.py)?)`", "\n".join(pages.values())))
    assert len(named) > 20
    assert named - functions - tests.keys() == set()


def test_a_request_passes_through_few_files(project: Path) -> None:
    named = re.findall(
        r"^\d\. `(app/\S+\.py)`: ", section(project, "How a request is handled"), re.MULTILINE
    )
    assert [path for path in named if not (project / path).is_file()] == []
    assert 5 <= len(named) <= 8


def test_diagram_shows_the_tables(project: Path, answers: dict[str, Any]) -> None:
    """Each line has a form that Mermaid takes, which reads PK, FK and UK as marks in any case."""
    diagram = section(project, "Data model").split("```mermaid\n")[1].split("```")[0]
    name = r"[a-z_][a-z0-9_]*"
    marks = r"( (PK|FK|UK|FK, UK))?( \"optional\")?"
    attribute = rf"        [a-z]+ (?!pk\b|fk\b|uk\b)\*?{name}{marks}"
    relation = rf'    "{name}" (\|\||\|o|}}o)--o\{{ "{name}" : "{name}"'
    table = rf'    "{name}" \{{|    }}'

    lines = diagram.splitlines()
    assert lines[0] == "erDiagram"
    for line in lines[1:]:
        assert re.fullmatch(f"{attribute}|{table}|{relation}", line), line
    assert f'"{answers.get("resource_plural", "tasks")}" {{' in diagram


@pytest.mark.parametrize("name", ["defaults", "graph", "all-types"])
def test_diagram_is_that_of_the_models(name: str, render: Render, environment: Environment) -> None:
    project = render(**RICH.get(name, {}))
    diagram = section(project, "Data model").split("```mermaid\n")[1].split("```")[0]
    shown = {
        table: set(re.findall(r"^        \w+ \*?(\w+)", body, re.MULTILINE))
        for table, body in re.findall(
            r'^    "(\w+)" \{\n(.*?)^    }', diagram, re.DOTALL | re.MULTILINE
        )
    }
    related = re.findall(r'^    "(\w+)" (?:\|\||\|o|}o)--o\{ "(\w+)" :', diagram, re.MULTILINE)
    printed = json.loads(environment.check(project, "python", "-c", TABLES))
    links = {table: of for table, of in printed.items() if len(of["keys"]) == len(of["columns"])}
    assert shown == {
        table: set(of["columns"]) for table, of in printed.items() if table not in links
    }
    assert sorted(related) == sorted(
        [(to, table) for table in shown for to in printed[table]["keys"]]
        + [(of["keys"][1], of["keys"][0]) for of in links.values()]
    )
