"""The tools of all resources: those in `TOOLS` of each module of this package."""

from importlib import import_module
from pkgutil import iter_modules

from app.mcp.resource_tools import Tool


def all_tools() -> dict[str, Tool]:
    """Return the tools by their names."""
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    return {tool.definition.name: tool for module in modules for tool in module.TOOLS}
