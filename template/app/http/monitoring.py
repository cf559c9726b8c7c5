"""Requests of the platform: health checks and metrics."""

from starlette.types import Scope

METRICS_PATH = "/metrics"
# Platforms request these every few seconds, by the address of a process instead of a host name.
MONITORING_PATHS = {"/health", "/ready", METRICS_PATH}


def is_monitoring(scope: Scope) -> bool:
    """Whether a request is a health check or for metrics, also where the app is served below a path."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return path.rstrip("/") in MONITORING_PATHS
