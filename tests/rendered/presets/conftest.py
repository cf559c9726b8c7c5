"""The presets as servers: each rendered app is a process of its own, on either database."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.environment import Environment
from tests.support.postgres import Postgres
from tests.support.preset_server import Api, Serve, serve
from tests.support.presets import PRESETS
from tests.support.rendering import render


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.long) for name in ("sqlite", "postgresql")],
)
def served(
    request: pytest.FixtureRequest,
    template: Path,
    environment: Environment,
    postgres: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Serve]:
    """Presets by name, each served from the first test that asks for it on."""
    root = tmp_path_factory.mktemp(request.param)
    running: dict[str, Api] = {}
    with ExitStack() as stack:

        def start(name: str) -> Api:
            if name not in running:
                project = render(template, root / name, PRESETS[name])
                url = f"sqlite:///{root / name}.db"
                if request.param == "postgresql":
                    url = stack.enter_context(postgres.database())
                running[name] = stack.enter_context(serve(environment, project, PRESETS[name], url))
            return running[name]

        yield start
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def scaffolder(served: Serve) -> Api:
    return served("backend-scaffolder")


@pytest.fixture
def builder(served: Serve) -> Api:
    return served("backend-builder")


@pytest.fixture
def generator(served: Serve) -> Api:
    return served("fastapi-sqlmodel-generator")


@pytest.fixture
def engineer(served: Serve) -> Api:
    return served("backend-engineer")


@pytest.fixture
def fullstack(served: Serve) -> Api:
    return served("todo-fullstack")
