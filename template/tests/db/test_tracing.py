"""Spans of statements: those that SQLAlchemy executes, and those that the driver executes itself."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import Column, Insert, Integer, MetaData, String, Table, insert, text
from sqlalchemy.exc import IntegrityError

from app.db.database import Database
from app.db.prepared import built_once
from app.db.tracing import summarize, trace_statements
from tests.support.databases import empty_database

MARKER = "m4rker-8d1f"
SLOW = {
    "postgresql": "SELECT pg_sleep(10)",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT 1 OFFSET 99999999999",
}

notes = Table(
    "notes",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("title", String, unique=True),
)


@built_once
def _insert() -> Insert:
    return insert(notes)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """The spans that have ended."""
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    """A provider of spans."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


@pytest.fixture
async def traced(tmp_path: Path, provider: TracerProvider) -> AsyncIterator[Database]:
    """A database whose statements are traced, with an empty table."""
    async with empty_database(tmp_path) as url:
        database = Database(url)
        trace_statements(database.engine.sync_engine, provider)
        async with database.transaction() as connection:
            await connection.run_sync(notes.metadata.create_all)
        with provider.get_tracer("test").start_as_current_span("request"):
            yield database
        await database.dispose()


def described(spans: tuple[ReadableSpan, ...]) -> list[tuple[str, bool]]:
    """Return the names of spans, and whether they failed."""
    return [(span.name, not span.status.is_unset) for span in spans]


async def test_statements_of_the_driver(traced: Database, exporter: InMemorySpanExporter) -> None:
    await traced.execute(_insert(), {"id": 1, "title": MARKER})
    assert described(exporter.get_finished_spans()) == [("INSERT notes", False)]
    exporter.clear()
    with pytest.raises(IntegrityError):
        await traced.execute(_insert(), {"id": 2, "title": MARKER})
    # After the driver, SQLAlchemy executes it, which raises its own error.
    assert described(exporter.get_finished_spans()) == [("INSERT notes", True)] * 2
    for span in exporter.get_finished_spans():
        assert span.status.description is None
        assert span.attributes is not None
        assert span.attributes["error.type"] in {
            "asyncpg.exceptions.UniqueViolationError",
            "sqlite3.IntegrityError",
        }
        assert span.attributes["db.response.status_code"] in {"23505", "SQLITE_CONSTRAINT_UNIQUE"}
        assert MARKER not in span.to_json()


async def test_cancelled_statements(traced: Database, exporter: InMemorySpanExporter) -> None:
    slow = text(SLOW[traced.engine.dialect.name])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await traced.execute(slow)
    [span] = exporter.get_finished_spans()
    assert described((span,)) == [(summarize(slow.text)[1], True)]
    assert span.attributes is not None
    assert span.attributes["error.type"] == "asyncio.exceptions.CancelledError"


@pytest.mark.parametrize(
    ("sql", "command", "summary"),
    [
        ("SELECT a.b, c FROM a WHERE b = $1", "SELECT", "SELECT a"),
        ('INSERT INTO "Order" (b) VALUES ($1)', "INSERT", 'INSERT "Order"'),
        ("UPDATE a SET b = $1", "UPDATE", "UPDATE a"),
        ("DELETE FROM a WHERE b = $1", "DELETE", "DELETE a"),
        ("WITH RECURSIVE x AS (SELECT b FROM a) SELECT b FROM x", "SELECT", "SELECT a"),
        ("BEGIN IMMEDIATE", "BEGIN", "BEGIN"),
        ("SELECT 1", "SELECT", "SELECT"),
        ("", "SQL", "SQL"),
    ],
)
def test_summaries(sql: str, command: str, summary: str) -> None:
    assert summarize(sql) == (command, summary)
