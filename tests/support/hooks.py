"""Call the macros of hooks/ from Python."""

from functools import cache
from typing import Any

import jinja2
from copier._jinja_ext import SandboxedEnvironment

from tests.support.rendering import ROOT, settings


@cache
def environment() -> SandboxedEnvironment:
    """Return a Jinja environment with Copier's settings."""
    options = {**settings()["_envops"], "undefined": jinja2.StrictUndefined}
    return SandboxedEnvironment(
        loader=jinja2.FileSystemLoader(ROOT),
        extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
        **options,
    )


def module(name: str) -> Any:  # noqa: ANN401
    """Load a file of hooks/ whose macros do not depend on answers."""
    return environment().get_template(f"hooks/{name}.jinja").module
