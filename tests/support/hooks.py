"""The macros of hooks/, called from Python."""

from functools import cache
from typing import Any

import jinja2
from copier._jinja_ext import SandboxedEnvironment

from tests.support.rendering import ROOT, settings


@cache
def environment() -> SandboxedEnvironment:
    """An environment as Copier makes it."""
    options = {**settings()["_envops"], "undefined": jinja2.StrictUndefined}
    return SandboxedEnvironment(
        loader=jinja2.FileSystemLoader(ROOT),
        extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
        **options,
    )


def module(name: str) -> Any:  # noqa: ANN401
    """One file of hooks/ whose macros look at no answer."""
    return environment().get_template(f"hooks/{name}.jinja").module
