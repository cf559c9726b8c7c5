"""Spans of SQL statements for OpenTelemetry: below that of their request, without values."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, StatusCode, TracerProvider
from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext

COMMAND = re.compile(r"\b(?:SELECT|INSERT|UPDATE|DELETE)\b")
WORD = re.compile(r"\w+")
TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE) +([\w.\"]+)")


@lru_cache(1024)
def summarize(sql: str) -> tuple[str, str]:
    """Return the command of a statement, and a summary: the command and the first table."""
    # A statement can begin with WITH.
    found = COMMAND.search(sql) or WORD.search(sql)
    command = found[0] if found else "SQL"
    table = TABLE.search(sql)
    return command, f"{command} {table[1]}" if table else command


def _fail(span: Span, error: BaseException) -> None:
    """Record the kind of an error; its message can contain values."""
    # That of the driver, instead of SQLAlchemy's adapter.
    cause = error.__cause__ or error
    span.set_status(StatusCode.ERROR)
    span.set_attribute("error.type", f"{type(cause).__module__}.{type(cause).__qualname__}")
    if code := getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None):
        span.set_attribute("db.response.status_code", code)


class StatementSpans:
    """Creates the spans of the statements that an engine and its connections execute."""

    def __init__(self, engine: Engine, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("app.db")
        url = engine.url
        known = {
            "db.system.name": url.get_backend_name(),
            "db.namespace": url.database,
            "server.address": url.host,
            "server.port": url.port,
        }
        self._attributes = {name: value for name, value in known.items() if value is not None}

    def start(self, sql: str) -> Span:
        """Start the span of a statement; outside of a traced request, it is one without effect."""
        if not trace.get_current_span().is_recording():
            return INVALID_SPAN
        command, summary = summarize(sql)
        attributes = {
            **self._attributes,
            "db.operation.name": command,
            "db.query.summary": summary,
            "db.query.text": sql,
        }
        return self._tracer.start_span(summary, kind=SpanKind.CLIENT, attributes=attributes)

    @contextmanager
    def observe(self, sql: str) -> Iterator[None]:
        """Trace a statement that the driver executes without SQLAlchemy."""
        span = self.start(sql)
        try:
            yield
        except BaseException as error:
            _fail(span, error)
            raise
        finally:
            span.end()

    def before(
        self,
        _connection: object,
        _cursor: object,
        sql: str,
        _parameters: object,
        context: Any,
        _several: bool,
    ) -> None:
        """Start the span of a statement of SQLAlchemy."""
        context.span = self.start(sql)

    def after(
        self,
        _connection: object,
        _cursor: object,
        _sql: str,
        _parameters: object,
        context: Any,
        _several: bool,
    ) -> None:
        """End the span of a statement of SQLAlchemy."""
        context.span.end()

    def failed(self, failure: ExceptionContext) -> None:
        """End the span of a statement that failed, or that was cancelled."""
        span: Span | None = getattr(failure.execution_context, "span", None)
        if span is not None and span.is_recording():
            _fail(span, failure.original_exception)
            span.end()

    def connected(self, dbapi_connection: Any, _record: object) -> None:
        """Observe the statements that are executed without SQLAlchemy."""
        dbapi_connection.driver_connection.observe = self.observe


def trace_statements(engine: Engine, provider: TracerProvider) -> None:
    """Create a span for each statement of an engine."""
    spans = StatementSpans(engine, provider)
    event.listen(engine, "connect", spans.connected)
    event.listen(engine, "before_cursor_execute", spans.before)
    event.listen(engine, "after_cursor_execute", spans.after)
    event.listen(engine, "handle_error", spans.failed, insert=True)
