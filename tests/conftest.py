"""Fixtures of all tests. `render(**answers)` gives the path of a project, rendered untrusted."""

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
BEGAN = pytest.StashKey[float]()


def together(nodeid: str) -> str:
    """What tests have in common that belong together: their cell or part, or else their file."""
    name = nodeid.rpartition("[")[2].removesuffix("]")
    return (
        name
        if name in CELLS or name.startswith(("defects-", "drawn-"))
        else nodeid.partition("::")[0]
    )


class ByCell(LoadScopeScheduling):
    """Give a worker all tests of a cell, so that it is rendered once; or all tests of a file.

    The group marks of pytest-xdist 3.8 would say the same, but do nothing under pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByCell:  # noqa: ANN401
    """Schedule by cells."""
    return ByCell(config, log)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as it is in the working tree, without its history."""
    return rendering.copy_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with every released version, and the working tree as the newest one."""
    return updating.history(tmp_path_factory.mktemp("releases") / "todo-backend-template")


@pytest.fixture(
    scope="session", params=[pytest.param(name, marks=pytest.mark.long) for name in CELLS]
)
def cell(request: pytest.FixtureRequest) -> str:
    """Every cell of the matrix, by name. A test of it stays with the worker that rendered it."""
    return str(request.param)


@pytest.fixture(scope="session")
def project(cell: str, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rendered project of a cell: one for all of its tests, which leave its files alone."""
    return rendering.render(template, tmp_path_factory.mktemp(cell) / cell, CELLS[cell])


@pytest.fixture
def render(template: Path, tmp_path: Path) -> Render:
    """Render with some answers, the rest being defaults."""
    numbers = itertools.count(1)

    def render(**answers: Any) -> Path:  # noqa: ANN401
        return rendering.render(template, tmp_path / f"project{next(numbers)}", answers)

    return render


@pytest.fixture(scope="session")
def environment(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The one environment that every rendered project runs in."""
    return shared_environment(template, tmp_path_factory.mktemp("pyproject"), CELLS.values())


@pytest.fixture(scope="session")
def postgres(environment: Environment) -> Postgres:
    """PostgreSQL, where a server answers."""
    return Postgres(environment)


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Say a figure that belongs below the results of the run."""

    def say(text: str) -> None:
        request.node.user_properties.append(("figure", text))

    return say


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Add to figures that many tests make together."""

    def add(title: str, **numbers: int) -> None:
        for name, number in numbers.items():
            request.node.user_properties.append(("tally", [title, name, int(number)]))

    return add


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --part: continuous integration proves the parts of the matrix on several machines."""
    parser.addoption(
        "--part", default="1/1", metavar="K/N", help="the K-th of N parts of the tests"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the part that was asked for."""
    part, parts = map(int, config.getoption("--part").split("/"))
    groups = sorted({together(item.nodeid) for item in items})
    kept, left_out = [], []
    for item in items:
        mine = groups.index(together(item.nodeid)) % parts == part - 1
        (kept if mine else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


def pytest_configure(config: pytest.Config) -> None:
    """Note when the run began."""
    config.stash[BEGAN] = time.monotonic()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Note on a test that it passed, for its fixtures to know."""
    result = yield
    item.stash[PASSED] = True
    return result


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the figures that the tests said, whichever worker they ran in."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    said = [said for report in reports for said in report.user_properties]
    figures = {value for key, value in said if key == "figure"}
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for title, name, number in [value for key, value in said if key == "tally"]:
        sums[title][name] += number
    for title, numbers in sums.items():
        figures.add(f"{title}: " + ", ".join(f"{many} {name}" for name, many in numbers.items()))
    if figures:
        figures.add(f"minutes: {(time.monotonic() - config.stash[BEGAN]) / 60:.1f}")
        terminalreporter.section("figures")
        for text in sorted(figures):
            terminalreporter.write_line(text)
