"""A server that keeps what traces and error reports send to it."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACES = "/v1/traces"


@dataclass(frozen=True)
class Sent:
    """A span that was sent."""

    name: str
    kind: int
    trace_id: str
    span_id: str
    parent: str
    failed: bool
    attributes: dict[str, Any]
    events: list[dict[str, Any]]
    resource: dict[str, Any]


def _values(attributes: Any) -> dict[str, Any]:
    return {
        item.key: getattr(item.value, item.value.WhichOneof("value") or "string_value")
        for item in attributes
    }


@dataclass
class Collector:
    """The bodies that were received, by their paths."""

    port: int
    received: list[tuple[str, bytes]] = field(default_factory=list)
    # A request is answered when this is set.
    answers: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        """The address of the server."""
        return f"127.0.0.1:{self.port}"

    @property
    def spans(self) -> list[Sent]:
        """The spans of all traces, in the order in which they ended."""
        found = []
        for path, body in self.received:
            assert path == TRACES
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                resource = _values(group.resource.attributes)
                spans = [span for scope in group.scope_spans for span in scope.spans]
                found += [
                    Sent(
                        name=span.name,
                        kind=span.kind,
                        trace_id=span.trace_id.hex(),
                        span_id=span.span_id.hex(),
                        parent=span.parent_span_id.hex(),
                        failed=span.status.code == span.status.STATUS_CODE_ERROR,
                        attributes=_values(span.attributes),
                        events=[
                            {"name": event.name, **_values(event.attributes)}
                            for event in span.events
                        ],
                        resource=resource,
                    )
                    for span in sorted(spans, key=lambda span: span.end_time_unix_nano)
                ]
        return found

    @property
    def events(self) -> list[dict[str, Any]]:
        """The errors that were reported to Sentry."""
        found = []
        for path, body in self.received:
            assert path == "/api/1/envelope/"
            lines = [json.loads(line) for line in body.splitlines() if line]
            # After the header of the envelope, each item has a header too.
            items = zip(lines[1::2], lines[2::2], strict=True)
            found += [item for header, item in items if header["type"] == "event"]
        return found


@contextmanager
def open_collector() -> Iterator[Collector]:
    """Serve a collector on the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            collector.received.append((self.path, body))
            collector.answers.wait(10)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Write no log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(server.server_port)
        collector.answers.set()
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield collector
        finally:
            collector.answers.set()
            server.shutdown()
            thread.join()
