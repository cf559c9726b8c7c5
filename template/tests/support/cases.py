"""Marks that run a test for each resource, or for each field of a resource."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.support.resource import Resource
from tests.support.samples import RESOURCES

every_resource = pytest.mark.parametrize("resource", RESOURCES, ids=str)


def each_resource_with(operation: str) -> pytest.MarkDecorator:
    """Run a test for each resource that has an operation."""
    found = [resource for resource in RESOURCES if operation in resource.operations]
    return pytest.mark.parametrize("resource", found, ids=str)


def each_resource_where(condition: Callable[[Resource], object]) -> pytest.MarkDecorator:
    """Run a test for each resource that meets a condition."""
    found = [resource for resource in RESOURCES if condition(resource)]
    return pytest.mark.parametrize("resource", found, ids=str)


def each_field(names: Callable[[Resource], Iterable[str]]) -> pytest.MarkDecorator:
    """Run a test for some fields of each resource, as `resource` and `name`."""
    found = [(resource, name) for resource in RESOURCES for name in names(resource)]
    return pytest.mark.parametrize(("resource", "name"), found, ids=str)


def each_value(
    values: Callable[[Resource], Iterable[tuple[str, Any]]],
) -> pytest.MarkDecorator:
    """Run a test for some values of fields of each resource: `resource`, `name` and `value`."""
    found = [(resource, *value) for resource in RESOURCES for value in values(resource)]
    return pytest.mark.parametrize(("resource", "name", "value"), found, ids=str)
