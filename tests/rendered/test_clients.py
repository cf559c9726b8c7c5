"""Typed clients are generated from the OpenAPI document without warnings."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.environment import Environment
from tests.support.npm import install, missing_programs
from tests.support.presets import PRESETS, RICH
from tests.support.rendering import ROOT, render

SOURCE = ROOT / "tests" / "rendered" / "clients"
ANSWERS: dict[str, dict[str, Any]] = {
    "defaults": {},
    **PRESETS,
    **{name: RICH[name] for name in ("all-types", "graph")},
}
DUMP = "import json; from app.main import app; print(json.dumps(app.openapi(), ensure_ascii=False))"
SECRET = "the secret of a test, and of nothing else"
TIMEOUT_IN_SECONDS = 120


@pytest.fixture(scope="module", params=ANSWERS)
def project(
    request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A rendered project."""
    name = request.param
    return render(template, tmp_path_factory.mktemp("clients") / name, ANSWERS[name])


@pytest.fixture(scope="module")
def dumps(project: Path, environment: Environment) -> list[str]:
    """The OpenAPI document of a project, from two processes."""
    secrets = {"JWT_SECRET_KEY": SECRET, "BETTER_AUTH_SECRET": SECRET}
    return [
        environment.check(project, "python", "-c", DUMP, PYTHONHASHSEED=seed, **secrets)
        for seed in ("1", "2")
    ]


@pytest.mark.long
def test_document_is_the_same_at_every_start(dumps: list[str]) -> None:
    """The document does not depend on the time or on the order of sets."""
    assert dumps[0] == dumps[1]


def run(home: Path, *command: str) -> str:
    """Run an installed program, which must not print warnings, and return its output."""
    done = subprocess.run(
        ["npx", "--no-install", *command],
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_IN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert not re.search(r"warn|error|deprecat", done.stdout, re.IGNORECASE), done.stdout
    return done.stdout


def write_back(schemas: dict[str, Any]) -> list[str]:
    """Return TypeScript that uses each response as a request body, and fills in the login form."""
    lines = ['import type { components } from "./api";', 'type Schemas = components["schemas"];']
    resources = [name.removesuffix("Read") for name in schemas if name.endswith("Read")]
    for resource in resources:
        writable = schemas.get(f"{resource}Update", {"properties": {}})["properties"]
        fields = ", ".join(f"{name}: row.{name}" for name in writable)
        lines.append(f"export function update{resource}(row: Schemas['{resource}Read']) {{")
        lines.append(f"  const body: Schemas['{resource}Update'] = {{ {fields} }};")
        lines.append("  return body;")
        lines.append("}")
        if resource != "User":
            lines.append(f"export function copy{resource}(row: Schemas['{resource}Read']) {{")
            lines.append(f"  const body: Schemas['{resource}Create'] = {{ {fields} }};")
            lines.append("  return body;")
            lines.append("}")
    if "PasswordGrant" in schemas:
        lines.append(
            "export const form: Schemas['PasswordGrant'] = { username: 'a', password: 'b' };"
        )
    return lines


@pytest.mark.long
def test_generated_types_of_responses_fit_requests(dumps: list[str], tmp_path: Path) -> None:
    if missing_programs():
        pytest.skip(f"the generator requires {' and '.join(missing_programs())}")
    home = install(SOURCE)
    document = json.loads(dumps[0])
    openapi, api = tmp_path / "openapi.json", tmp_path / "api.d.ts"
    openapi.write_text(dumps[0], encoding="utf-8")
    run(home, "openapi-typescript", str(openapi), "-o", str(api))
    lines = write_back(document["components"]["schemas"])
    assert len(lines) > 2
    client = tmp_path / "client.ts"
    client.write_text("\n".join(lines) + "\n", encoding="utf-8")
    run(home, "tsc", "--strict", "--noEmit", "--skipLibCheck", str(client))
