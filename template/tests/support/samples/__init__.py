"""Sample data of every resource; the tests of tests/routers run for each module of this package."""

from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

from tests.support.resource import Resource

_names = [f"{__name__}.{module.name}" for module in iter_modules(__path__)]

# A module can have the name of a builtin, which it then hides here.
RESOURCES: Sequence[Resource] = [module.RESOURCE for module in map(import_module, _names)]
