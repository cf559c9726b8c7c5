"""All faults, one after the other, on one PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.faults import counters, database, processes
from bench.faults.servers import Redis, cluster
from bench.faults.stage import Seen, Stage
from tests.support.environment import Environment

FAULTS = {**database.FAULTS, **processes.FAULTS, **counters.FAULTS}


def run(
    environment: Environment, project: Path, folder: Path, only: str = ""
) -> Iterator[tuple[str, Seen | str]]:
    """Yield what was seen during each fault, or why it could not be caused."""
    with cluster() as server:
        stage = Stage(environment, project, server, folder)
        stage.migrate()
        for name, fault in FAULTS.items():
            if only in name:
                try:
                    yield name, fault(stage)
                except (PermissionError, pytest.skip.Exception) as error:
                    yield name, str(error)


def versions(folder: Path) -> str:
    """Return the versions of the servers that are used."""
    with cluster() as server:
        return f"{server.version()} and {Redis(folder).version()}"
