"""Mutation tests: the own tests of rendered projects detect defects.

Two kinds of defects are inserted, one at a time: the diffs in `defects/`, all of which must be
detected, and mutants of each line of the most important code. Mutants that may survive are listed
in `accepted.py`, each with a reason. An ordinary run tests a fixed part of both; TEST_DEFECTS=all
tests all.
"""

import os
import pickle
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.mutation.accepted import ACCEPTED
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
# An ordinary run tests every n-th defect of a kind, and every n-th mutant.
EVERY_DEFECT = {"isolation": 8}
EVERY = 20
EVERY_MUTANT = 180
PARTS = (
    {"defaults": 16, "strictest": 8, "fastapi-sqlmodel-generator": 6, "graph": 4}
    if ALL
    else {"defaults": 1}
)
# conftest.py distributes tests by this prefix between the workers.
TESTED = {
    f"defects-{name}-{number}": (name, number)
    for name, parts in PARTS.items()
    for number in range(parts)
}

Project = Callable[[str], Path]


@pytest.fixture(scope="session")
def project_of(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A function that returns a project by its name, and renders it on the first call."""
    rendered: dict[str, Path] = {}

    def project(name: str) -> Path:
        if name not in rendered:
            path = tmp_path_factory.mktemp(name) / "original"
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
    """A function that runs all tests of a project, and returns which lines they execute."""

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
    """Return the names of a project's defects that this run tests."""
    kinds: Counter[str] = Counter()
    selected = []
    for defect in DEFECTS:
        if ALL or kinds[defect.kind] % EVERY_DEFECT.get(defect.kind, EVERY) == 0:
            selected.append(defect)
        kinds[defect.kind] += 1
    return [defect.key for defect in selected if defect.project == name]


def runs_of(name: str, project: Path) -> list[Run]:
    """Return the defects and mutants that this run tests in a project."""
    wanted = set(defects_of(name))
    runs = [defect.run(project) for defect in DEFECTS if defect.key in wanted]
    mutated = [
        Run(key, mutant.file, mutant.lines, mutant.text)
        for key, mutant in all_mutants(name, project).items()
    ]
    if not ALL:
        mutated = [run for run in mutated if run.name not in ACCEPTED][
            EVERY_MUTANT // 2 :: EVERY_MUTANT
        ]
    return runs + mutated


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


def test_hunk_replaces_its_only_match(tmp_path: Path) -> None:
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


def test_few_mutants_are_accepted(project_of: Project) -> None:
    """At most a tenth of the mutants of a subject may survive, each with a reason."""
    total: Counter[str] = Counter()
    listed: Counter[str] = Counter()
    existing = set()
    for name in PROJECTS:
        for key, mutant in all_mutants(name, project_of(name)).items():
            existing.add(key)
            total[group_of(mutant.file)] += 1
            listed[group_of(mutant.file)] += key in ACCEPTED
    assert set(ACCEPTED) - existing == set(), "accepted, but there is no such mutant"
    assert [key for key, reason in ACCEPTED.items() if not reason] == []
    for group in ("services", "scope", "auth", "pagination"):
        assert listed[group] <= total[group] / 10, f"{group}: {listed[group]} of {total[group]}"


def test_mutants_of_a_function() -> None:
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
@pytest.mark.parametrize("part", TESTED)
def test_defects_are_detected(  # noqa: PLR0917
    part: str,
    project_of: Project,
    coverage_by_name: Callable[[str], Coverage],
    environment: Environment,
    tmp_path: Path,
    tally: Callable[..., None],
) -> None:
    name, number = TESTED[part]
    project = project_of(name)
    runs = runs_of(name, project)[number :: PARTS[name]]
    coverage = coverage_by_name(name)
    found = outcomes(environment, project, tmp_path, runs, coverage)
    assert len(found) == len(runs)
    table = {defect.key for defect in DEFECTS}
    outcome = {key: each["outcome"] for key, each in found.items()}
    broken = {key: found[key]["by"] for key in outcome if outcome[key] == "broken"}
    assert not table & set(broken), broken
    survived = {key for key in outcome if outcome[key] == "survived"}
    assert survived - set(ACCEPTED) == set()
    assert set(ACCEPTED) & set(outcome) - survived == set(), "detected, but listed as accepted"

    counts = Counter(each for key, each in outcome.items() if key not in table)
    tally(
        "defects in rendered projects",
        **{
            "defects detected": len(table & set(outcome)),
            "mutants": counts["killed"] + counts["timeout"] + counts["survived"],
            "killed": counts["killed"],
            "timed out": counts["timeout"],
            "survived with a reason": counts["survived"],
        },
    )
