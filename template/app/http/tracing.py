"""Traces of requests for OpenTelemetry: FastAPI creates the spans, and this module exports them."""

import threading

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Span, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from starlette.types import Scope

from app import TITLE
from app.http.monitoring import is_monitoring

# Clients choose the length of a path. OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT takes precedence.
MAX_ATTRIBUTE_LENGTH = 4096
# For the last spans, when the app stops.
FLUSH_SECONDS = 3


class _Redaction(SpanProcessor):
    """Removes queries from the spans, because they contain what users search for."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002
        # An attribute can be replaced, but not removed.
        if "url.query" in (span.attributes or {}):
            span.set_attribute("url.query", "REDACTED")


def _resource() -> Resource:
    """Return what identifies the app: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES."""
    resource = Resource.create()
    if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        return resource.merge(Resource({SERVICE_NAME: TITLE}))
    return resource


class Tracing:
    """The spans of one application, and their export to an OTLP endpoint.

    The libraries read everything else from their own variables, such as OTEL_TRACES_SAMPLER.
    """

    def __init__(self, endpoint: str) -> None:
        self.provider = TracerProvider(
            resource=_resource(),
            span_limits=SpanLimits(max_attribute_length=MAX_ATTRIBUTE_LENGTH),
            shutdown_on_exit=False,
        )
        self.provider.add_span_processor(_Redaction())
        self.provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint)))

    @property
    def config(self) -> TelemetryConfig:
        """How FastAPI traces requests: one span for each, without exceptions and their messages."""
        return {
            "tracer_provider": self.provider,
            "operation_spans": False,
            "metrics": False,
            "logs": False,
            "auto_configure": False,
            "exclude": is_monitoring,
        }

    def report(self, error: Exception, _scope: Scope) -> None:
        """Add the type of an unexpected error to the span of the request."""
        kind = f"{type(error).__module__}.{type(error).__qualname__}"
        trace.get_current_span().add_event("exception", {"exception.type": kind})

    def close(self) -> None:
        """Export the last spans, without waiting long for an endpoint that does not answer."""
        # The library would wait for half a minute.
        thread = threading.Thread(target=self.provider.shutdown, daemon=True)
        thread.start()
        thread.join(FLUSH_SECONDS)
