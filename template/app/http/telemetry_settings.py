"""Settings of traces and error reports, whose libraries are extras of the project."""

from importlib.util import find_spec
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, HttpUrl, SecretStr, model_validator

OTLP_PROTOCOL = "http/protobuf"


def check_extra(variable: str, module: str, extra: str) -> None:
    """Check that the library of an extra is installed, because a variable requires it.

    Raises:
        ValueError: it is not.
    """
    if find_spec(module) is None:
        raise ValueError(f"{variable} requires the extra `{extra}`: uv sync --extra {extra}")


def _checked_dsn(dsn: SecretStr) -> SecretStr:
    check_extra("SENTRY_DSN", "sentry_sdk", "sentry")
    from sentry_sdk.utils import BadDsn, Dsn  # noqa: PLC0415

    try:
        Dsn(dsn.get_secret_value())
    except BadDsn:
        raise ValueError("must be the DSN of a project, as Sentry shows it") from None
    return dsn


class TelemetrySettings(BaseModel):
    """Where traces and unexpected errors are sent, if anywhere."""

    # The variables of OpenTelemetry that decide whether traces are sent; its libraries read the others.
    otel_exporter_otlp_endpoint: HttpUrl | None = None
    otel_exporter_otlp_traces_endpoint: HttpUrl | None = None
    otel_exporter_otlp_protocol: str = OTLP_PROTOCOL
    otel_exporter_otlp_traces_protocol: str | None = None
    otel_traces_exporter: str = "otlp"
    otel_sdk_disabled: bool = False
    sentry_dsn: Annotated[SecretStr, AfterValidator(_checked_dsn)] | None = None
    # By default, the value of ENVIRONMENT.
    sentry_environment: str | None = None

    @property
    def traces_endpoint(self) -> str | None:
        """The URL that traces are sent to, or None if they are not."""
        if self.otel_sdk_disabled or self.otel_traces_exporter == "none":
            return None
        if self.otel_exporter_otlp_traces_endpoint:
            return str(self.otel_exporter_otlp_traces_endpoint)
        if self.otel_exporter_otlp_endpoint:
            return f"{str(self.otel_exporter_otlp_endpoint).rstrip('/')}/v1/traces"
        return None

    @model_validator(mode="after")
    def _check_traces(self) -> Self:
        if self.traces_endpoint:
            check_extra("OTEL_EXPORTER_OTLP_ENDPOINT", "opentelemetry.exporter", "opentelemetry")
            if self.otel_traces_exporter != "otlp":
                raise ValueError("OTEL_TRACES_EXPORTER must be otlp or none")
            protocol = self.otel_exporter_otlp_traces_protocol or self.otel_exporter_otlp_protocol
            if protocol != OTLP_PROTOCOL:
                raise ValueError(f"OTEL_EXPORTER_OTLP_PROTOCOL must be {OTLP_PROTOCOL}")
        return self
