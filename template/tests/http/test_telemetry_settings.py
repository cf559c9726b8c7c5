"""Traces and error reports: when they are sent, and that their libraries are extras."""

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from app.http.telemetry_settings import TelemetrySettings
from app.settings import explain

ENDPOINT = "otel_exporter_otlp_endpoint"
TRACES_ENDPOINT = "otel_exporter_otlp_traces_endpoint"
COLLECTOR = "http://collector:4318"
DSN = "https://public@sentry.example.com/1"

# An app that has started with no settings but those of auth, and answers.
START = """
import asyncio, sys
from httpx import ASGITransport, AsyncClient
from app.factory import create_app
from tests.support.identity import settings_for_tests

async def start():
    with settings_for_tests("sqlite:///unused.db") as settings:
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
                assert (await client.get("/health")).status_code == 200

asyncio.run(start())
print(sorted({"opentelemetry.sdk", "prometheus_client", "sentry_sdk"} & sys.modules.keys()))
"""


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ({}, None),
        ({ENDPOINT: COLLECTOR}, f"{COLLECTOR}/v1/traces"),
        ({ENDPOINT: f"{COLLECTOR}/otlp/"}, f"{COLLECTOR}/otlp/v1/traces"),
        ({TRACES_ENDPOINT: "https://traces.example/x"}, "https://traces.example/x"),
        ({ENDPOINT: COLLECTOR, TRACES_ENDPOINT: "http://traces/x"}, "http://traces/x"),
        ({ENDPOINT: COLLECTOR, "otel_sdk_disabled": "true"}, None),
        ({ENDPOINT: COLLECTOR, "otel_traces_exporter": "none"}, None),
    ],
)
def test_traces_are_sent_to_the_endpoint(given: dict[str, Any], endpoint: str | None) -> None:
    assert TelemetrySettings(**given).traces_endpoint == endpoint


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({ENDPOINT: "collector:4317"}, "OTEL_EXPORTER_OTLP_ENDPOINT: URL scheme should be"),
        (
            {ENDPOINT: COLLECTOR, "otel_exporter_otlp_protocol": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf",
        ),
        (
            {TRACES_ENDPOINT: COLLECTOR, "otel_exporter_otlp_traces_protocol": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf",
        ),
        (
            {ENDPOINT: COLLECTOR, "otel_traces_exporter": "console"},
            "OTEL_TRACES_EXPORTER must be otlp or none",
        ),
        ({"sentry_dsn": "hunter2"}, "SENTRY_DSN: must be the DSN of a project"),
    ],
)
def test_other_settings_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TelemetrySettings(**given)
    [line] = explain(caught.value).splitlines()
    assert line.startswith(f"Cannot start: {message}")
    assert "hunter2" not in line


def test_settings_that_do_not_apply_are_not_checked() -> None:
    settings = TelemetrySettings(otel_exporter_otlp_protocol="grpc", otel_traces_exporter="console")
    assert settings.traces_endpoint is None


@pytest.mark.parametrize(
    ("given", "extra"), [({ENDPOINT: COLLECTOR}, "opentelemetry"), ({"sentry_dsn": DSN}, "sentry")]
)
def test_libraries_are_extras(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], extra: str
) -> None:
    TelemetrySettings(**given)
    monkeypatch.setattr("app.http.telemetry_settings.find_spec", lambda _name: None)
    TelemetrySettings()
    with pytest.raises(ValidationError) as caught:
        TelemetrySettings(**given)
    [name] = given
    assert explain(caught.value) == (
        f"Cannot start: {name.upper()} requires the extra `{extra}`: uv sync --extra {extra}\n"
    )


def test_dsn_is_secret() -> None:
    assert "public" not in repr(TelemetrySettings.model_validate({"sentry_dsn": DSN}))


def test_libraries_are_not_imported_by_default() -> None:
    command = [sys.executable, "-c", START]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    assert output.strip() == "[]"
