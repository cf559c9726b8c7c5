"""The tables; importing this package imports all its modules, which registers them."""

# Private names: the others are those of modules.
from importlib import import_module as _import_module
from pkgutil import walk_packages as _walk_packages

# Comes first, because it names the constraints of every table that is defined later.
from app.models.row import Row

__all__ = ["Row"]

for _module in _walk_packages(__path__, f"{__name__}."):
    _import_module(_module.name)
