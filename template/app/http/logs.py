"""Logging: one line per record, for a terminal or as JSON."""

import logging
from contextvars import ContextVar
from typing import Literal

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

CONSOLE_FORMAT = "%(asctime)s %(levelname)-8s [%(request_id)s] %(name)s: %(message)s"
JSON_FIELDS = ("levelname", "name", "message", "request_id")

request_id: ContextVar[str] = ContextVar("request_id", default="-")
# The trace of a client that sends a `traceparent` header.
trace_id: ContextVar[str | None] = ContextVar("trace_id", default=None)


class _RequestIds(logging.Filter):
    """Add the ids of the current request and its trace to every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        if trace := trace_id.get():
            record.trace_id = trace
        return True


def configure_logging(log_format: Literal["console", "json"], level: str) -> None:
    """Write every record of the process to standard error.

    The level applies to the app. Libraries never log below INFO, where some log what users send and
    store, such as the parameters of SQL statements.
    """
    handler = logging.StreamHandler()
    handler.addFilter(_RequestIds())
    if log_format == "json":
        names = {"levelname": "level", "name": "logger"}
        formatter = JsonFormatter(
            JSON_FIELDS,
            rename_fields=names,
            # Uvicorn adds a coloured copy of its messages.
            reserved_attrs=[*RESERVED_ATTRS, "color_message"],
            timestamp=True,
        )
        handler.setFormatter(formatter)
    else:
        handler.setFormatter(logging.Formatter(CONSOLE_FORMAT))
    least = max(logging.INFO, logging.getLevelNamesMapping()[level])
    logging.basicConfig(level=least, handlers=[handler], force=True)
    logging.getLogger("app").setLevel(level)
    # Uvicorn's records are handled the same way, except its access log, which the app replaces.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        server = logging.getLogger(name)
        server.handlers.clear()
        server.propagate = name != "uvicorn.access"
