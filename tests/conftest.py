"""Fixtures for all tests, scheduling, and the figures at the end of a run."""

import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.support import rendering, updating
from tests.support.cells import CELLS
from tests.support.environment import Environment, shared_environment
from tests.support.postgres import Postgres

Render = Callable[..., Path]
PASSED = pytest.StashKey[bool]()
STARTED_AT = pytest.StashKey[float]()


def scheduling_group(nodeid: str) -> str:
    """Return the group of tests that one worker runs: a cell, a part, or a file."""
    name = nodeid.rpartition("[")[2].removesuffix("]")
    return (
        name
        if name in CELLS or name.startswith(("defects-", "drawn-"))
        else nodeid.partition("::")[0]
    )


class GroupScheduling(LoadScopeScheduling):
    """Run all tests of a cell in one worker, so that it is rendered once, or all tests of a file.

    The `xdist_group` marks of pytest-xdist 3.8 have no effect with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return scheduling_group(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:  # noqa: ANN401
    """Schedule tests by their groups."""
    return GroupScheduling(config, log)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the template in the working tree, without its history."""
    return rendering.copy_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with all released versions, and the working tree as the newest."""
    return updating.create_releases(tmp_path_factory.mktemp("releases") / "todo-backend-template")


@pytest.fixture(
    scope="session", params=[pytest.param(name, marks=pytest.mark.long) for name in CELLS]
)
def cell(request: pytest.FixtureRequest) -> str:
    """The name of each cell of the matrix."""
    return str(request.param)


@pytest.fixture(scope="session")
def project(cell: str, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rendered project of a cell, which all its tests share and none changes."""
    return rendering.render(template, tmp_path_factory.mktemp(cell) / cell, CELLS[cell])


@pytest.fixture
def render(template: Path, tmp_path: Path) -> Render:
    """A function that renders answers, with defaults for the others, and returns the path."""
    numbers = itertools.count(1)

    def render(**answers: Any) -> Path:  # noqa: ANN401
        return rendering.render(template, tmp_path / f"project{next(numbers)}", answers)

    return render


@pytest.fixture(scope="session")
def environment(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The environment that all rendered projects share."""
    return shared_environment(template, tmp_path_factory.mktemp("pyproject"), CELLS.values())


@pytest.fixture(scope="session")
def postgres(environment: Environment) -> Postgres:
    """The PostgreSQL server, which may not be available."""
    return Postgres(environment)


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """A function that reports a figure, which is printed at the end of the run."""

    def report(text: str) -> None:
        request.node.user_properties.append(("figure", text))

    return report


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Callable[..., None]:
    """A function that adds numbers to a figure that several tests share."""

    def add(title: str, **numbers: int) -> None:
        for name, number in numbers.items():
            request.node.user_properties.append(("tally", [title, name, int(number)]))

    return add


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --part, with which continuous integration splits the tests between machines."""
    parser.addoption(
        "--part", default="1/1", metavar="K/N", help="the K-th of N parts of the tests"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the selected part, and start with those that take longest."""
    part, parts = map(int, config.getoption("--part").split("/"))
    groups = sorted({scheduling_group(item.nodeid) for item in items})
    kept, deselected = [], []
    for item in items:
        selected = groups.index(scheduling_group(item.nodeid)) % parts == part - 1
        (kept if selected else deselected).append(item)
    if deselected:
        config.hook.pytest_deselected(items=deselected)
    sizes = Counter(scheduling_group(item.nodeid) for item in kept)

    def order(item: pytest.Item) -> tuple[bool, int]:
        group = scheduling_group(item.nodeid)
        return not group.startswith("defects-"), -sizes[group]

    items[:] = sorted(kept, key=order)


def pytest_configure(config: pytest.Config) -> None:
    """Record when the run starts."""
    config.stash[STARTED_AT] = time.monotonic()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Record that a test passed, so that its fixtures can read it."""
    result = yield
    item.stash[PASSED] = True
    return result


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the figures that the tests of all workers reported."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    properties = [each for report in reports for each in report.user_properties]
    figures = {value for key, value in properties if key == "figure"}
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for title, name, number in [value for key, value in properties if key == "tally"]:
        sums[title][name] += number
    for title, numbers in sums.items():
        figures.add(f"{title}: " + ", ".join(f"{many} {name}" for name, many in numbers.items()))
    if figures:
        figures.add(f"minutes: {(time.monotonic() - config.stash[STARTED_AT]) / 60:.1f}")
        terminalreporter.section("figures")
        for text in sorted(figures):
            terminalreporter.write_line(text)
