"""Fixtures that serve the presets, on both databases."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.environment import Environment
from tests.support.postgres import Postgres, empty_database
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
    """A function that returns a preset's app by its name, and serves it from the first call on."""
    root = tmp_path_factory.mktemp(request.param)
    running: dict[str, Api] = {}
    with ExitStack() as stack:

        def start(name: str) -> Api:
            if name not in running:
                project = render(template, root / name, PRESETS[name])
                database = empty_database(request.param, root / f"{name}.db", postgres)
                url = stack.enter_context(database)
                running[name] = stack.enter_context(serve(environment, project, url))
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


@pytest.fixture
def phase_three(served: Serve) -> Api:
    return served("phase-three")
