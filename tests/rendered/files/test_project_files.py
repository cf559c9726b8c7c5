"""The metadata, tools, workflow and commands of a rendered project."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Render
from tests.support.checks import texts
from tests.support.commands import CHECK_JSONSCHEMA, ZIZMOR, run_linter
from tests.support.environment import Environment
from tests.support.rendering import SOURCE, recorded_answers

PRE_COMMIT = "pre-commit@4.7.0"
CONFIGURATION_FILES = (
    ".github/dependabot.yml",
    ".github/workflows/ci.yml",
    ".pre-commit-config.yaml",
    "compose.yaml",
)


def dependencies(project: Path) -> set[str]:
    """Return the names of a project's runtime dependencies, with extras."""
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    return {re.split(r"[<>=]", line)[0] for line in pyproject["project"]["dependencies"]}


def test_metadata_matches_the_answers(project: Path, answers: dict[str, Any]) -> None:
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    recorded = recorded_answers(project)

    assert pyproject["project"]["name"] == recorded["project_slug"]
    assert pyproject["project"]["description"] == recorded["project_description"]
    for name, value in answers.items():
        assert recorded[name] == value
        if isinstance(value, dict):
            assert list(recorded[name]) == list(value), "the order of the fields is kept"


def test_every_requirement_has_a_lower_and_an_upper_bound(project: Path) -> None:
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    requirements = pyproject["project"]["dependencies"] + pyproject["dependency-groups"]["dev"]

    for requirement in requirements:
        assert re.fullmatch(r"[a-z-]+(\[[a-z0-9]+])?>=[\d.]+,<[\d.]+", requirement), requirement
    names = [re.split(r"[\[>]", line)[0] for line in pyproject["project"]["dependencies"]]
    assert names == sorted(names)


def test_dependencies_depend_on_the_answers(render: Render) -> None:
    assert "uuid-utils" in dependencies(render())
    assert "uuid-utils" not in dependencies(render(id_type="int"))
    assert "uuid-utils" in dependencies(render(id_type="int", user_id_type="uuid"))
    assert "uuid-utils" in dependencies(render(id_type="uuid", user_id_type="int"))
    assert {"pyjwt", "pwdlib[argon2]", "python-multipart"} <= dependencies(render())
    assert "aiosmtplib" in dependencies(render(mail=True))
    assert "aiosmtplib" not in dependencies(render())


def test_type_of_user_ids_is_ignored_without_own_users(render: Render) -> None:
    answers = (".copier-answers.yml", ".copier-answers.sha256")
    first, second = (
        {name: text for name, text in texts(project) if name not in answers}
        for project in (
            render(auth="external"),
            render(auth="external", user_id_type="int"),
        )
    )
    assert first == second


@pytest.mark.parametrize("auth", ["local", "external"])
def test_default_names_occur_nowhere(render: Render, auth: str) -> None:
    project = render(
        project_name="Library",
        project_description="The books of a library.",
        resource_name="book",
        fields={"title": "str"},
        auth=auth,
        client="typescript",
    )
    left = [
        f"{name}: {line}"
        for name, text in texts(project)
        if name != ".copier-answers.yml"  # It names the template.
        for line in text.splitlines()
        if re.search(r"(?<!asyncio\.)\b(task|todo)s?\b", line, re.IGNORECASE)
    ]
    assert left == []


@pytest.mark.parametrize("auth", ["local", "external"])
def test_no_trace_of_a_client_that_was_not_chosen(render: Render, auth: str) -> None:
    left = [
        name
        for name, text in texts(render(auth=auth))
        if "client" in name.split("/")
        or re.search(r"make client|(?<![/-])client/|typescript|Node\.js|npm", text, re.IGNORECASE)
    ]
    assert left == []


@pytest.mark.parametrize("auth", ["local", "external"])
def test_no_trace_of_mail_that_was_not_chosen(render: Render, auth: str) -> None:
    # Some text has the word: "such as one that sends mail", "the mail of another".
    traces = re.compile(
        r"(?<!sends )(?<!the )(?<!@)\bmails?\b|smtp|starttls|outbox|outgoing|aiosmtp|trustme"
        r"|(send|rate_limit)_mail|mail_from|frontend_url|email_(not_)?verified|verified_email"
        r"|(verify|change)[-_]email|forgot[-_]password|auth_email|email_?token"
        r"|(?-i:INVALID_TOKEN|InvalidToken\b|PasswordRecovery)",
        re.IGNORECASE,
    )
    left = [
        f"{name}: {line}"
        for name, text in texts(render(auth=auth, mcp=True, client="typescript"))
        if name != ".copier-answers.yml"  # It has the answer.
        for line in (name, *text.splitlines())
        if traces.search(line)
    ]
    assert left == []


def test_configuration_files_do_not_depend_on_the_answers(project: Path) -> None:
    """Other tests of these files can therefore use a single project."""
    assert {str(path.relative_to(project)) for path in project.rglob("*.y*ml")} == {
        *CONFIGURATION_FILES,
        ".copier-answers.yml",
    }
    for name in CONFIGURATION_FILES:
        assert (project / name).read_bytes() == (SOURCE / name).read_bytes(), name


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.compose-spec", "compose.yaml"),
        ("vendor.github-workflows", ".github/workflows/ci.yml"),
        ("vendor.github-workflows", ".github/workflows/client.yml"),
        ("vendor.dependabot", ".github/dependabot.yml"),
    ],
)
def test_configuration_files_match_their_schemas(render: Render, schema: str, file: str) -> None:
    run_linter(
        CHECK_JSONSCHEMA, "--builtin-schema", schema, str(render(client="typescript") / file)
    )


def test_workflow_is_least_privileged_and_pinned(render: Render) -> None:
    project = render(client="typescript")
    run_linter(ZIZMOR, "--offline", "--quiet", str(project / ".github"))

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
    run_linter(PRE_COMMIT, "validate-config", str(render() / ".pre-commit-config.yaml"))


@pytest.mark.parametrize(
    ("answers", "own"),
    [
        ({}, ["user"]),
        ({"auth": "external"}, []),
        ({"client": "typescript"}, ["user", "client"]),
        ({"auth": "external", "client": "typescript"}, ["client"]),
    ],
)
def test_make_lists_its_commands(render: Render, answers: dict[str, str], own: list[str]) -> None:
    project = render(**answers)
    listed = subprocess.run(
        ["make"], cwd=project, capture_output=True, text=True, check=True
    ).stdout

    assert re.findall(r"^make (\w+)", listed, re.MULTILINE) == [
        *(
            "help",
            "run",
            "test",
            "check",
            "impact",
            "format",
            "migrate",
            "sql",
            "migration",
            "seed",
        ),
        *own,
    ]
    assert "\n\n\n" not in (project / "Makefile").read_text(encoding="utf-8")
    readme = (project / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `make (\w+)", readme, re.MULTILINE)) == {
        *re.findall(r"^make (\w+)", listed, re.MULTILINE)
    } - {"help"}


@pytest.mark.long
def test_tools_of_a_resource_without_short_fields(render: Render, environment: Environment) -> None:
    project = render(mcp=True, fields={"body": {"type": "list"}})
    environment.check(project, "ruff", "format", "--check", "--no-cache", "app/mcp")
    tools = (project / "app" / "mcp" / "tools" / "task.py").read_text(encoding="utf-8")
    assert '\nSHOWN = ("id",)\n' in tools


@pytest.mark.long
def test_missing_revision_is_reported_and_created(render: Render, environment: Environment) -> None:
    project = render(id_type="int")
    url = f"sqlite:///{project / 'own.db'}"
    check = ("python", "-m", "scripts.migrations", "check")
    create = ("python", "-m", "scripts.migrations", "create")
    environment.check(project, *check, DATABASE_URL=url)

    model = project / "app" / "models" / "task.py"
    model.write_text(f"{model.read_text(encoding='utf-8')}\n    extra: str | None = None\n")
    failed = environment.run(project, *check, DATABASE_URL=url)
    assert failed.returncode == 1
    assert "extra" in failed.stdout
    assert 'make migration m="' in failed.stdout

    assert environment.run(project, *create, MESSAGE="  ").returncode == 1
    environment.check(project, *create, DATABASE_URL=url, MESSAGE='say "more" \\ or less')
    assert len(list((project / "migrations" / "versions").glob("*.py"))) == 2
    environment.check(project, *check, DATABASE_URL=url)
    environment.check(project, "ruff", "check", "migrations")
    environment.check(project, "ruff", "format", "--check", "migrations")

    nothing = environment.check(project, *create, MESSAGE="again")
    assert "there is nothing to write" in nothing
    assert len(list((project / "migrations" / "versions").glob("*.py"))) == 2
    assert not (project / "own.db").exists(), "the database of DATABASE_URL must not be used"


def test_files_end_with_one_newline_and_lines_without_whitespace(project: Path) -> None:
    for path in sorted(project.rglob("*")):
        if path.is_file() and path.read_bytes():
            text = path.read_text(encoding="utf-8")
            assert text.endswith("\n"), path
            assert not text.endswith("\n\n"), path
            assert not re.search(r"[ \t]$", text, re.MULTILINE), path
            assert "\r" not in text, path
