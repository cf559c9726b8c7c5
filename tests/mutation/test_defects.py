"""Mutation tests: the own tests of rendered projects fail where these projects are wrong.

Two kinds of defects are put into projects, one at a time: the diffs in `defects/`, each of which
must be noticed, and small changes of each line of the code that matters most. Those of the small
changes that may go unnoticed are listed in `accepted.py`, each with its reason. An ordinary run
takes a fixed slice of both; TEST_DEFECTS=all takes all.
"""

import os
import pickle
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.mutation.accepted import SURVIVORS
from tests.mutation.hunks import DEFECTS, read
from tests.mutation.mutants import mutants
from tests.mutation.runner import (
    PROJECTS,
    Coverage,
    Run,
    all_mutants,
    coverage_of,
    group_of,
    outcomes,
)
from tests.support.environment import Environment, locked
from tests.support.rendering import render

ALL = os.environ.get("TEST_DEFECTS") == "all"
# Of the slice: every n-th defect of a kind, every n-th mutant of a group.
EVERY_DEFECT = {"isolation": 4}
EVERY = 10
EVERY_MUTANT = 90
PARTS = (
    {"defaults": 16, "strictest": 8, "fastapi-sqlmodel-generator": 6, "graph": 4}
    if ALL
    else {"defaults": 2, "strictest": 1, "fastapi-sqlmodel-generator": 1}
)
# The names begin with what conftest.py spreads over the workers.
TRIED = {
    f"defects-{name}-{number}": (name, number)
    for name, parts in PARTS.items()
    for number in range(parts)
}

Project = Callable[[str], Path]


@pytest.fixture(scope="session")
def project_of(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project by its name, rendered when it is first asked for."""
    rendered: dict[str, Path] = {}

    def project(name: str) -> Path:
        if name not in rendered:
            path = tmp_path_factory.mktemp(name) / "sound"
            rendered[name] = render(template, path, PROJECTS[name])
        return rendered[name]

    return project


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def coverage_by_name(
    project_of: Project, environment: Environment, shared: Path
) -> Callable[[str], Coverage]:
    """Return which tests run which lines of a project: all passed, or all would be noticed."""

    def coverage(name: str) -> Coverage:
        with locked(shared / f"{name}.lock"):
            file = shared / f"{name}.coverage"
            if not file.exists():
                copy = shared / f"{name}-covered"
                shutil.copytree(project_of(name), copy)
                file.write_bytes(pickle.dumps(coverage_of(environment, copy)))
        found: Coverage = pickle.loads(file.read_bytes())
        return found

    return coverage


def defects_of(name: str) -> list[str]:
    """Return the names of a project's defects that this run tries."""
    kinds: Counter[str] = Counter()
    tried = []
    for defect in DEFECTS:
        if ALL or kinds[defect.kind] % EVERY_DEFECT.get(defect.kind, EVERY) == 0:
            tried.append(defect)
        kinds[defect.kind] += 1
    return [defect.key for defect in tried if defect.project == name]


def runs_of(name: str, project: Path) -> list[Run]:
    """Return what this run tries in a project."""
    wanted = set(defects_of(name))
    runs = [defect.run(project) for defect in DEFECTS if defect.key in wanted]
    small = [
        Run(key, mutant.file, mutant.lines, mutant.text)
        for key, mutant in all_mutants(name, project).items()
    ]
    if not ALL:
        small = [run for run in small if run.name not in SURVIVORS][
            EVERY_MUTANT // 2 :: EVERY_MUTANT
        ]
    return runs + small


@pytest.mark.parametrize("name", PROJECTS)
def test_every_defect_applies(name: str, project_of: Project) -> None:
    assert len({defect.key for defect in DEFECTS}) == len(DEFECTS)
    misfits = []
    for defect in DEFECTS:
        if defect.project == name:
            try:
                changed = defect.run(project_of(name))
                compile(changed.text, changed.file, "exec")
            except (ValueError, SyntaxError) as error:
                misfits.append(f"{defect.key}: {error}")
    assert misfits == [], "\n".join(misfits)


def test_a_hunk_replaces_the_one_place_that_it_matches(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one()\ntwo()\nthree()\ntwo()\n", encoding="utf-8")
    diff = tmp_path / "a.diff"
    head = "# scope: two is four\n--- a.py\n+++ a.py\n@@\n"
    diff.write_text(f"{head} three()\n-two()\n+four()\n", encoding="utf-8")
    run = read(diff).run(tmp_path)
    assert (run.file, run.lines) == ("a.py", (4, 4))
    assert run.text == "one()\ntwo()\nthree()\nfour()\n"
    for hunk, message in (
        ("-two()\n", "occur 2 times"),
        ("-five()\n", "occur 0 times"),
        ("-wo()\n", "occur 0 times"),
        ("?two()\n", "is not a defect"),
        ("", "is not a defect"),
    ):
        diff.write_text(head + hunk, encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            read(diff).run(tmp_path)


def test_few_survive(project_of: Project) -> None:
    """At most a tenth of the small changes may go unnoticed, each with its reason."""
    tried: Counter[str] = Counter()
    listed: Counter[str] = Counter()
    known = set()
    for name in PROJECTS:
        for key, mutant in all_mutants(name, project_of(name)).items():
            known.add(key)
            tried[group_of(mutant.file)] += 1
            listed[group_of(mutant.file)] += key in SURVIVORS
    assert set(SURVIVORS) - known == set(), "no such change any more"
    assert [key for key, reason in SURVIVORS.items() if not reason] == []
    for group in ("services", "scope", "auth", "pagination"):
        assert listed[group] <= tried[group] / 10, f"{group}: {listed[group]} of {tried[group]}"


def test_mutants_are_what_they_say() -> None:
    source = """
@decorated(1)
def function(a: int = 3) -> bool:
    if a < 4 and not b:
        raise ValueError(f"{a + 1}")
    rows = query.where(c, *more)
    call()
    return [*rows, True]
"""
    found = mutants("file.py", source)
    assert [mutant.key.removeprefix("file.py function: ") for mutant in found] == [
        "3 -> 4",
        "3 -> (2)",
        "a < 4 and not b -> (not (a < 4 and (not b)))",
        "a < 4 and not b -> (a < 4 or not b)",
        "a < 4 -> (a >= 4)",
        "a < 4 -> (a <= 4)",
        "4 -> 5",
        "4 -> (3)",
        "not b -> (b)",
        'raise ValueError(f"{a + 1}") -> pass',
        "query.where(c, *more) -> query",
        "query.where(c, *more) -> query.where(*more)",
        "query.where(c, *more) -> query.where(c)",
        "call() -> pass",
        "[*rows, True] -> [True]",
        "True -> False",
    ]
    for mutant in found:
        compile(mutant.text, "file.py", "exec")
    assert found[4].text == source.replace("a < 4", "(a >= 4)")


@pytest.mark.long
@pytest.mark.parametrize("part", TRIED)
def test_defects_are_noticed(  # noqa: PLR0917
    part: str,
    project_of: Project,
    coverage_by_name: Callable[[str], Coverage],
    environment: Environment,
    tmp_path: Path,
    tally: Callable[..., None],
) -> None:
    name, number = TRIED[part]
    project = project_of(name)
    runs = runs_of(name, project)[number :: PARTS[name]]
    coverage = coverage_by_name(name)
    found = outcomes(environment, project, tmp_path, runs, coverage)
    assert len(found) == len(runs)
    table = {defect.key for defect in DEFECTS}
    came = {key: each["outcome"] for key, each in found.items()}
    broken = {key: found[key]["by"] for key in came if came[key] == "broken"}
    assert not table & set(broken), broken
    unnoticed = {key for key in came if came[key] == "survived"}
    assert unnoticed - set(SURVIVORS) == set()
    assert set(SURVIVORS) & set(came) - unnoticed == set(), "noticed, and listed as if not"

    noticed = Counter(outcome for key, outcome in came.items() if key not in table)
    tally(
        "defects in rendered projects",
        **{
            "deliberate and noticed": len(table & set(came)),
            "small changes": noticed["killed"] + noticed["timeout"] + noticed["survived"],
            "noticed": noticed["killed"],
            "without end": noticed["timeout"],
            "not noticed, and listed with a reason": noticed["survived"],
        },
    )
