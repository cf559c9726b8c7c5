"""What surrounds the app in a rendered project: settings, tools, image, workflow, texts."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from tests.conftest import Render
from tests.support.cells import HOSTILE
from tests.support.checks import texts
from tests.support.environment import Environment, uv
from tests.support.presets import PRESETS, RICH
from tests.support.rendering import SOURCE

CHECK_JSONSCHEMA = "check-jsonschema@0.39.0"
ZIZMOR = "zizmor@1.32.0"
PRE_COMMIT = "pre-commit@4.7.0"
DOCKERFILE_UTILS = "dockerfile-utils@0.16.3"

ANSWERS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "other": {
        "id_type": "int",
        "route_scope": "path",
        "pagination": "cursor",
        "update_method": "both",
        "foreign_access": "forbidden",
        "error_format": "envelope",
        "timestamps": False,
        "api_prefix": "/api/v1",
        "resource_name": "story_child",
        "resource_plural": "story_children",
        "fields": {
            "pk": "str",
            "to": "date",
            "type": "list",
            "fk": {"type": "url", "unique": True},
        },
    },
    "hostile": {
        "project_name": HOSTILE[:80],
        "project_slug": "hostile",
        "project_description": HOSTILE,
        "pagination": "list",
    },
}

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

OF_OTHER_TOOLS = (
    ".github/dependabot.yml",
    ".github/workflows/ci.yml",
    ".pre-commit-config.yaml",
    "compose.yaml",
)

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


@pytest.fixture(params=ANSWERS)
def answers(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Sets of answers that differ wherever these files do."""
    return ANSWERS[request.param]


@pytest.fixture
def project(render: Render, answers: dict[str, Any]) -> Path:
    """A project rendered with each of them."""
    return render(**answers)


def tool(*command: str, cwd: Path | None = None) -> None:
    """Run a linter that is no dependency of this repository; its output is the message."""
    done = subprocess.run(
        [uv(), "tool", "run", "--quiet", *command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def dependencies(project: Path) -> set[str]:
    """The names, extras included, of what a project depends on where it runs."""
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    return {re.split(r"[<>=]", line)[0] for line in pyproject["project"]["dependencies"]}


def section(project: Path, title: str) -> str:
    """One section of a project's README."""
    readme = (project / "README.md").read_text(encoding="utf-8")
    return readme.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_metadata_is_what_was_answered(project: Path, answers: dict[str, Any]) -> None:
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    recorded = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))

    assert pyproject["project"]["name"] == recorded["project_slug"]
    assert pyproject["project"]["description"] == recorded["project_description"]
    for name, value in answers.items():
        assert recorded[name] == value
        if isinstance(value, dict):
            assert list(recorded[name]) == list(value), "the order of the fields is kept"


def test_every_requirement_is_bounded_on_both_sides(project: Path) -> None:
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    requirements = pyproject["project"]["dependencies"] + pyproject["dependency-groups"]["dev"]

    for requirement in requirements:
        assert re.fullmatch(r"[a-z-]+(\[[a-z0-9]+])?>=[\d.]+,<[\d.]+", requirement), requirement
    names = [re.split(r"[\[>]", line)[0] for line in pyproject["project"]["dependencies"]]
    assert names == sorted(names)


def test_only_what_is_needed_is_installed(render: Render) -> None:
    assert "uuid-utils" in dependencies(render())
    assert "uuid-utils" not in dependencies(render(id_type="int"))
    assert {"pyjwt", "pwdlib[argon2]", "python-multipart"} <= dependencies(render())


@pytest.mark.parametrize("auth", ["local", "external"])
def test_no_word_is_left_of_the_default_answers(render: Render, auth: str) -> None:
    project = render(
        project_name="Library",
        project_description="What is lent to whom.",
        resource_name="book",
        fields={"title": "str"},
        auth=auth,
    )
    left = [
        f"{name}: {line}"
        for name, text in texts(project)
        if name != ".copier-answers.yml"  # It names the template.
        for line in text.splitlines()
        if re.search(r"(?<!asyncio\.)\b(task|todo)s?\b", line, re.IGNORECASE)
    ]
    assert left == []


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


def test_files_of_other_tools_are_the_same_in_every_project(project: Path) -> None:
    """So that one render of them stands for all: no answer switches or changes one."""
    assert {str(path.relative_to(project)) for path in project.rglob("*.y*ml")} == {
        *OF_OTHER_TOOLS,
        ".copier-answers.yml",
    }
    for name in OF_OTHER_TOOLS:
        assert (project / name).read_bytes() == (SOURCE / name).read_bytes(), name


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.compose-spec", "compose.yaml"),
        ("vendor.github-workflows", ".github/workflows/ci.yml"),
        ("vendor.dependabot", ".github/dependabot.yml"),
    ],
)
def test_files_of_other_tools_follow_their_schemas(render: Render, schema: str, file: str) -> None:
    tool(CHECK_JSONSCHEMA, "--builtin-schema", schema, str(render() / file))


def test_workflow_is_safe(render: Render) -> None:
    project = render()
    tool(ZIZMOR, "--offline", "--quiet", str(project / ".github"))

    workflow = (project / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)(.*)", workflow)
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action
    loaded = yaml.safe_load(workflow)
    assert loaded["permissions"] == {}
    for job in loaded["jobs"].values():
        assert set(job["permissions"].values()) <= {"read"}
        assert job["timeout-minutes"] <= 15


def test_pre_commit_configuration_is_valid(render: Render) -> None:
    tool(PRE_COMMIT, "validate-config", str(render() / ".pre-commit-config.yaml"))


def test_image_runs_without_privileges_and_secrets(render: Render) -> None:
    project = render()
    lines = (project / "Dockerfile").read_text(encoding="utf-8").splitlines()
    final = lines[max(i for i, line in enumerate(lines) if line.startswith("FROM ")) :]
    instructions = [line.split(" ")[0] for line in final]

    assert sum(line.startswith("FROM ") for line in lines) == 2
    assert instructions.index("USER") > max(
        index for index, name in enumerate(instructions) if name in {"COPY", "RUN"}
    )
    assert "HEALTHCHECK" in instructions
    assert "ENVIRONMENT=production" in "\n".join(final)
    assert not re.search(r"SECRET|PASSWORD|\.env", "\n".join(lines))
    context = (project / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in context
    assert {line[1:] for line in context if line.startswith("!")} == {
        "pyproject.toml",
        "uv.lock",
        "app",
        "migrations",
    }


def command(project: Path, name: str) -> list[str]:
    """What an instruction of the Dockerfile runs, in its exec form."""
    text = (project / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    [line] = [line for line in text.splitlines() if line.startswith(name)]
    return list(json.loads(line[line.index("[") :]))


@pytest.mark.parametrize(("port", "used"), [(None, "8000"), ("", "8000"), ("9000", "9000")])
def test_image_listens_where_it_is_told(render: Render, port: str | None, used: str) -> None:
    *shell, script = command(render(), "CMD")
    env = {"PATH": os.environ["PATH"], **({} if port is None else {"PORT": port})}
    assert script.startswith("exec uvicorn app.main:app "), "signals reach the server itself"
    run = [*shell, script.replace("exec", "echo", 1)]
    shown = subprocess.run(run, env=env, capture_output=True, text=True, check=True).stdout
    assert f" --host 0.0.0.0 --port {used} " in shown


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_image_is_probed_where_it_listens(render: Render, status: int, healthy: bool) -> None:
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    python, *arguments = command(render(), "HEALTHCHECK")
    assert python == "python"
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        env = {"PORT": str(server.server_port)}
        done = subprocess.run(
            [sys.executable, *arguments], env=env, capture_output=True, check=False
        )
        thread.join()
    assert asked == ["/health"]
    assert (done.returncode == 0) == healthy


def test_server_reads_how_long_idle_connections_stay_open(
    render: Render, environment: Environment
) -> None:
    text = (render() / "Dockerfile").read_text(encoding="utf-8")
    [(name, seconds)] = re.findall(r"(UVICORN_TIMEOUT_KEEP_ALIVE)=(\d+)", text)
    assert int(seconds) > 60, "load balancers keep theirs for 60 seconds"
    script = (
        "from importlib import import_module\n"
        "main = import_module('uvicorn.main').main\n"
        "print(main.make_context('uvicorn', ['app.main:app']).params['timeout_keep_alive'])"
    )
    shown = environment.check(render(), "python", "-c", script, **{name: seconds})
    assert shown.strip() == seconds


def test_dockerfile_is_well_formed(render: Render) -> None:
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("there is no Node, which the linter of the Dockerfile runs on")
    done = subprocess.run(
        [npx, "--yes", DOCKERFILE_UTILS, "lint", "Dockerfile"],
        cwd=render(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_migrates_before_the_app_starts(render: Render) -> None:
    compose = yaml.safe_load((render() / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]

    assert services["app"]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"}
    }
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["migrate"]["command"] == ["alembic", "upgrade", "head"]
    assert services["migrate"]["build"] == services["app"]["build"]
    password = services["postgres"]["environment"]["POSTGRES_PASSWORD"]
    assert password.startswith("${POSTGRES_PASSWORD:?"), "no password is a default"
    assert "ports" not in services["postgres"]
    # The port that is published is the one that the app listens on, whatever .env says.
    [published] = services["app"]["ports"]
    assert published.endswith(f":{services['app']['environment']['PORT']}")


def test_make_lists_its_commands(render: Render) -> None:
    listed = subprocess.run(
        ["make"], cwd=render(), capture_output=True, text=True, check=True
    ).stdout

    assert re.findall(r"^make (\w+)", listed, re.MULTILINE) == [
        *("help", "run", "test", "check", "format", "migrate", "migration")
    ]


def test_env_holds_random_secrets_and_is_never_overwritten(
    render: Render, environment: Environment
) -> None:
    project, other = render(), render()
    for directory in (project, other):
        environment.check(directory, "python", "-m", "scripts.create_env")
    env = project / ".env"
    text = env.read_text(encoding="utf-8")
    secrets = re.findall(
        r"^(?:JWT_SECRET_KEY|POSTGRES_PASSWORD)=([0-9a-f]{64})$", text, re.MULTILINE
    )

    assert len(set(secrets)) == 2
    assert not re.search(r"^[A-Z_]+=change-me$", text, re.MULTILINE)
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert text != (other / ".env").read_text(encoding="utf-8")
    environment.check(project, "python", "-m", "scripts.create_env")
    assert env.read_text(encoding="utf-8") == text


@pytest.mark.long
def test_a_missing_revision_is_named_and_written(render: Render, environment: Environment) -> None:
    project = render(id_type="int")
    own = f"sqlite:///{project / 'own.db'}"
    check = ("python", "-m", "scripts.migrations", "check")
    create = ("python", "-m", "scripts.migrations", "create")
    environment.check(project, *check, DATABASE_URL=own)

    model = project / "app" / "models" / "task.py"
    model.write_text(f"{model.read_text(encoding='utf-8')}\n    extra: str | None = None\n")
    failed = environment.run(project, *check, DATABASE_URL=own)
    assert failed.returncode == 1
    assert "extra" in failed.stdout
    assert 'make migration m="' in failed.stdout

    assert environment.run(project, *create, MESSAGE="  ").returncode == 1
    environment.check(project, *create, DATABASE_URL=own, MESSAGE='say "more" \\ or less')
    assert len(list((project / "migrations" / "versions").glob("*.py"))) == 2
    environment.check(project, *check, DATABASE_URL=own)
    environment.check(project, "ruff", "check", "migrations")
    environment.check(project, "ruff", "format", "--check", "migrations")

    nothing = environment.check(project, *create, MESSAGE="again")
    assert "there is nothing to write" in nothing
    assert len(list((project / "migrations" / "versions").glob("*.py"))) == 2
    assert not (project / "own.db").exists(), "the database of DATABASE_URL is left alone"


def test_texts_end_in_one_newline_and_no_line_in_a_blank(project: Path) -> None:
    for path in sorted(project.rglob("*")):
        if path.is_file() and path.read_bytes():
            text = path.read_text(encoding="utf-8")
            assert text.endswith("\n"), path
            assert not text.endswith("\n\n"), path
            assert not re.search(r"[ \t]$", text, re.MULTILINE), path
            assert "\r" not in text, path
