"""The Dockerfile, the compose file and .env of a rendered project."""

import json
import re
import shutil
import stat
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from tests.conftest import Render
from tests.support.environment import Environment

DOCKERFILE_UTILS = "dockerfile-utils@0.16.3"


def test_image_has_an_unprivileged_user_and_no_secrets(render: Render) -> None:
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
        "scripts",
    }


def command(project: Path, name: str) -> list[str]:
    """Return the command of a Dockerfile instruction in exec form."""
    text = (project / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    [line] = [line for line in text.splitlines() if line.startswith(name)]
    return list(json.loads(line[line.index("[") :]))


def test_server_of_the_image_receives_signals(render: Render) -> None:
    # tests/scripts/test_serve.py of the project tests the port.
    assert command(render(), "CMD") == ["python", "-m", "scripts.serve", "--host", "0.0.0.0"]


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_health_check_requests_the_configured_port(
    render: Render, status: int, healthy: bool
) -> None:
    requested = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requested.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

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
    assert requested == ["/health"]
    assert (done.returncode == 0) == healthy


def test_uvicorn_reads_the_keep_alive_timeout(render: Render, environment: Environment) -> None:
    text = (render() / "Dockerfile").read_text(encoding="utf-8")
    [(name, seconds)] = re.findall(r"(UVICORN_TIMEOUT_KEEP_ALIVE)=(\d+)", text)
    assert int(seconds) > 60, "load balancers keep idle connections for 60 seconds"
    script = (
        "from importlib import import_module\n"
        "main = import_module('uvicorn.main').main\n"
        "print(main.make_context('uvicorn', ['app.main:app']).params['timeout_keep_alive'])"
    )
    printed = environment.check(render(), "python", "-c", script, **{name: seconds})
    assert printed.strip() == seconds


def test_dockerfile_passes_the_linter(render: Render) -> None:
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("the Dockerfile linter requires npx")
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
    assert services["migrate"]["command"] == ["python", "-m", "migrations"]
    assert services["migrate"]["build"] == services["app"]["build"]
    password = services["postgres"]["environment"]["POSTGRES_PASSWORD"]
    assert password.startswith("${POSTGRES_PASSWORD:?"), "the password must not have a default"
    assert "ports" not in services["postgres"]
    # The published port must be the one that the app listens on, regardless of .env.
    [published] = services["app"]["ports"]
    assert published.endswith(f":{services['app']['environment']['PORT']}")


def test_env_file_has_random_secrets_and_is_not_overwritten(
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
