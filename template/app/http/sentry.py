"""Reports of unexpected errors to Sentry: where they happened, without any values."""

import sentry_sdk
from sentry_sdk.types import Event, Hint
from starlette.types import Scope

from app.http.logs import request_id, trace_id
from app.http.middleware import route_of

FLUSH_SECONDS = 2


def _without_values(event: Event, _hint: Hint) -> Event:
    """Remove the messages of exceptions, which can contain what users have sent or stored."""
    for exception in event.get("exception", {}).get("values", []):
        exception["value"] = ""
    return event


class ErrorReports:
    """Sends unexpected errors to Sentry."""

    def __init__(self, dsn: str, environment: str) -> None:
        sentry_sdk.init(
            dsn,
            environment=environment,
            # Integrations would report each error again, also the expected ones, and read requests.
            default_integrations=False,
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            before_send=_without_values,
            include_local_variables=False,
            max_request_body_size="never",
        )

    def report(self, error: Exception, scope: Scope) -> None:
        """Report an unexpected error, with the ids under which the log has its message."""
        with sentry_sdk.new_scope() as report:
            report.set_transaction_name(f"{scope['method']} {route_of(scope) or 'unknown route'}")
            report.set_tag("request_id", request_id.get())
            if trace := trace_id.get():
                report.set_tag("trace_id", trace)
            sentry_sdk.capture_exception(error)

    def close(self) -> None:
        """Send the last reports."""
        sentry_sdk.flush(FLUSH_SECONDS)
