"""The image of a rendered project, without a container: its command and its variables."""

import json
import os
import re
import subprocess
from pathlib import Path

from tests.support.environment import INHERITED, Environment


def image_command(project: Path) -> tuple[list[str], dict[str, str]]:
    """Return the command of the Dockerfile, and the variables of its server that it sets."""
    text = (project / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    [command] = [
        json.loads(line.removeprefix("CMD ")) for line in text.splitlines() if line[:5] == "CMD ["
    ]
    return command, dict(re.findall(r"\b(UVICORN_\w+|ENVIRONMENT)=(\S+)", text))


def start_image(
    environment: Environment, project: Path, settings: dict[str, str]
) -> subprocess.Popen[str]:
    """Start the command of the image on loopback, with its variables and the given ones."""
    command, variables = image_command(project)
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    path = f"{environment.home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        [word.replace("0.0.0.0", "127.0.0.1") for word in command],
        cwd=project,
        env={**kept, **variables, **settings, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
