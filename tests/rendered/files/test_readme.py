"""The README and the documentation of a rendered project are correct."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Render
from tests.support.environment import Environment
from tests.support.presets import PRESETS, RICH

# Prints the text of the first heading and the first paragraph of a Markdown page.
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


# Prints the tables of the models, their columns, and the tables that these refer to.
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


MAIL = {"mail": {"mail": True}}


def section(project: Path, title: str) -> str:
    """Return a section of a project's README."""
    readme = (project / "README.md").read_text(encoding="utf-8")
    return readme.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_readme_shows_the_name_and_the_description(
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


def test_readme_and_env_example_list_all_settings(project: Path, environment: Environment) -> None:
    in_readme = re.findall(r"^\| `([A-Z_]+)` \|", section(project, "Settings"), re.MULTILINE)
    example = (project / ".env.example").read_text(encoding="utf-8")
    in_example = re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE)
    in_app = json.loads(environment.check(project, "python", "-c", VARIABLES))

    assert set(in_readme) == {*in_app, "TEST_DATABASE_URL"}
    assert set(in_example) == {*in_app, "TEST_DATABASE_URL", "POSTGRES_PASSWORD"}
    assert len(in_readme) == len(set(in_readme))


def test_env_example_has_the_default_values(project: Path, environment: Environment) -> None:
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
def test_reasons_for_rejected_tokens_are_documented_and_tested(render: Render, auth: str) -> None:
    project = render(auth=auth)
    page = (project / "docs/authentication.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?`) \|", page.split("## Why a token is rejected")[1], re.MULTILINE)
    documented = re.findall(r"`(\w+)`", " ".join(rows))
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted([*project.glob("app/auth/*.py"), *project.glob("app/services/auth.py")])
    )
    used = re.findall(
        r'(?:invalid_token|InvalidTokenError|_log_refusal)\(\s*"(\w+)"|'
        r'Error: \("(\w+)", |reason = "(\w+)"|_read_id\(\w+, [^,]*, "(\w+)"|'
        r'type\(error\), \("(\w+)"',
        code,
    )
    assert {name for names in used for name in names if name} == set(documented)
    assert len(documented) == len(set(documented))
    tested = (project / "tests/auth/test_refusals.py").read_text(encoding="utf-8")
    assert [reason for reason in documented if f'"{reason}"' not in tested] == []


@pytest.mark.parametrize("name", ["defaults", "fastapi-sqlmodel-generator", "mail"])
def test_files_and_tests_that_pages_name_exist(name: str, render: Render) -> None:
    project = render(**(PRESETS | MAIL).get(name, {}))
    tests = {path: path.read_text(encoding="utf-8") for path in project.rglob("test_*.py")}
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
    assert named - functions - {path.name for path in tests} == set()


def test_readme_names_the_few_files_that_handle_a_request(project: Path) -> None:
    named = re.findall(
        r"^\d\. `(app/\S+\.py)`: ", section(project, "How a request is handled"), re.MULTILINE
    )
    assert [path for path in named if not (project / path).is_file()] == []
    assert 5 <= len(named) <= 8


def test_diagram_has_valid_syntax(project: Path, answers: dict[str, Any]) -> None:
    """Mermaid reads PK, FK and UK as keys in any case, so columns of these names need a prefix."""
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


@pytest.mark.parametrize("name", ["defaults", "graph", "all-types", "mail"])
def test_diagram_matches_the_models(name: str, render: Render, environment: Environment) -> None:
    project = render(**(RICH | MAIL).get(name, {}))
    diagram = section(project, "Data model").split("```mermaid\n")[1].split("```")[0]
    shown = {
        table: set(re.findall(r"^        \w+ \*?(\w+)", body, re.MULTILINE))
        for table, body in re.findall(
            r'^    "(\w+)" \{\n(.*?)^    }', diagram, re.DOTALL | re.MULTILINE
        )
    }
    related = re.findall(r'^    "(\w+)" (?:\|\||\|o|}o)--o\{ "(\w+)" :', diagram, re.MULTILINE)
    printed = json.loads(environment.check(project, "python", "-c", TABLES))
    links = {
        name: table
        for name, table in printed.items()
        if len(table["keys"]) == len(table["columns"])
    }
    assert shown == {
        name: set(table["columns"]) for name, table in printed.items() if name not in links
    }
    assert sorted(related) == sorted(
        [(to, table) for table in shown for to in printed[table]["keys"]]
        + [(link["keys"][1], link["keys"][0]) for link in links.values()]
    )
