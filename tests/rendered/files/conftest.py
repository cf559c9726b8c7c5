"""Projects whose answers change the files outside of the app."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Render
from tests.support.cells import HOSTILE

ANSWERS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "other": {
        "id_type": "int",
        "route_scope": "path",
        "pagination": "cursor",
        "update_method": "both",
        "foreign_access": "forbidden",
        "error_format": "envelope",
        "timestamps": False,
        "api_prefix": "/api/v1",
        "mail": True,
        "resource_name": "story_child",
        "resource_plural": "story_children",
        "fields": {
            "pk": "str",
            "to": "date",
            "type": "list",
            "fk": {"type": "url", "unique": True},
        },
    },
    "hostile": {
        "project_name": HOSTILE[:80],
        "project_slug": "hostile",
        "project_description": HOSTILE,
        "pagination": "list",
    },
}


@pytest.fixture(params=ANSWERS)
def answers(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The sets of answers."""
    return ANSWERS[request.param]


@pytest.fixture
def project(render: Render, answers: dict[str, Any]) -> Path:
    """A project rendered with each set of answers."""
    return render(**answers)
